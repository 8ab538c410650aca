BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'ledger','m001_tariff_book','2026-11-28 07:25:30.228457+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'ledger','m002_calls','2026-11-28 07:25:30.237848+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'ledger','m003_journey','2026-11-28 07:25:30.238802+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'ledger','m004_rates_per_time','2026-11-28 07:25:30.239885+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'ledger','m005_rules_of_the_site','2026-11-28 07:25:30.240648+00:00');
INSERT INTO "_sqlite_migrations" VALUES(6,'ledger','m006_kinds_and_history','2026-11-28 07:25:30.247215+00:00');
INSERT INTO "_sqlite_migrations" VALUES(7,'ledger','m007_rollups','2026-11-28 07:25:30.251502+00:00');
INSERT INTO "_sqlite_migrations" VALUES(8,'ledger','m008_directory','2026-11-28 07:25:30.253163+00:00');
CREATE TABLE assignments (
            extension TEXT NOT NULL,
            first_day TEXT NOT NULL,
            employee_id INTEGER REFERENCES employees (id),
            department_id INTEGER REFERENCES departments (id),
            in_use INTEGER NOT NULL DEFAULT 1,
            PRIMARY KEY (extension, first_day)
        ) WITHOUT ROWID
        ;
CREATE TABLE call_filters (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            direction TEXT,
            extension TEXT,
            number TEXT,
            trunk TEXT,
            note TEXT NOT NULL
        );
INSERT INTO "call_filters" VALUES(1,NULL,'807X',NULL,NULL,'');
CREATE TABLE calls (
            id INTEGER PRIMARY KEY,
            event_id INTEGER NOT NULL,
            key BLOB NOT NULL UNIQUE,
            pbx TEXT NOT NULL,
            dialect TEXT NOT NULL,
            call_id TEXT,
            record_id TEXT,
            group_id TEXT,
            caller TEXT,
            callee TEXT,
            extension TEXT,
            number TEXT,
            started_at INTEGER NOT NULL,
            answered_at INTEGER,
            ended_at INTEGER,
            day TEXT NOT NULL,
            duration_s INTEGER,
            billed_s INTEGER NOT NULL,
            disposition TEXT NOT NULL,
            trunk TEXT,
            direction TEXT,
            did TEXT,
            pin TEXT,
            recording TEXT,
            twin TEXT,
            notes TEXT NOT NULL,
            normalized TEXT,
            traffic_type TEXT,
            line_kind TEXT,
            country TEXT,
            region TEXT,
            place TEXT,
            operator TEXT,
            area_code TEXT,
            ip_prefix TEXT,
            emergency INTEGER NOT NULL,
            rule TEXT NOT NULL,
            why TEXT NOT NULL,
            data_version TEXT NOT NULL
        );
INSERT INTO "calls" VALUES(1,1,X'9FA8276B5F7A155D514C1BFB5181CD14','db01-0000-0001','uc',NULL,NULL,NULL,'8001','5867XXXX','8001','5867XXXX',1790812800,1790812805,1790812818,'2026-10-01',18,13,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+86225867XXXX','local','fixed','CN','天津','天津',NULL,'022',NULL,0,'local-length','8 digits are a number of the home area 022; in the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(2,2,X'BEDE62F26236EF3C5F4C1B036C8607D8','db01-0000-0001','uc',NULL,NULL,NULL,'8002','90216234XXXX','8002','90216234XXXX',1790902860,1790902865,1790902891,'2026-10-02',31,26,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+86216234XXXX','domestic','fixed','CN','上海','上海',NULL,'021',NULL,0,'area-code','area code 021 is Shanghai; outside the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(3,3,X'2A81E54F4CCD773D7A126B79CD33D457','db01-0000-0001','uc',NULL,NULL,NULL,'8003','91380013XXXX','8003','91380013XXXX',1790992920,1790992925,1790992964,'2026-10-03',44,39,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+861380013XXXX','domestic','mobile','CN','北京','北京','中国移动','010',NULL,0,'mobile','138XXXX is a mobile prefix of 北京, area code 010; block 138 (mobile) was given to 中国移动; outside the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(4,4,X'8AC72D65B7920BF8A640D10B9A885DAC','db01-0000-0001','uc',NULL,NULL,NULL,'8004','90085212345678','8004','90085212345678',1791082980,1791082985,1791083037,'2026-10-04',57,52,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+85212345678','hk_mo_tw','unknown','HK','香港','香港',NULL,NULL,NULL,0,'country-code','+852 is the code of HK, whose plan does not list the rest; dialled from CN','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(7,7,X'3FC59CC1484E13BCEE76E2883265AD89','db01-0000-0001','uc',NULL,NULL,NULL,'8007','900442071234567','8007','900442071234567',1791353160,1791353165,1791353256,'2026-10-07',96,91,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+442071234567','international','fixed','GB',NULL,'London',NULL,NULL,NULL,0,'country-code','+442071234567 is a fixed line of GB; dialled from CN','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(9,9,X'F066E91880B87D9D657243595E9CC9D6','db01-0000-0001','uc',NULL,NULL,NULL,'8002','8005','8002','8005',1791533280,1791533285,1791533402,'2026-10-09',122,117,'answered','1','outbound',NULL,NULL,NULL,NULL,'','8005','internal','extension',NULL,NULL,NULL,NULL,NULL,NULL,0,'extension','8005 is an extension of the site','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(10,10,X'BB5951E858E0BD5AA049DD262B8E2E34','db01-0000-0001','uc',NULL,NULL,NULL,'8003','5867XXXX','8003','5867XXXX',1790845740,1790845745,1790845875,'2026-10-01',135,130,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+86225867XXXX','local','fixed','CN','天津','天津',NULL,'022',NULL,0,'local-length','8 digits are a number of the home area 022; in the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(11,11,X'991E7092FBED14119D13ADF32C425FF6','db01-0000-0001','uc',NULL,NULL,NULL,'8004','90216234XXXX','8004','90216234XXXX',1790899800,1790899805,1790899948,'2026-10-02',148,143,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+86216234XXXX','domestic','fixed','CN','上海','上海',NULL,'021',NULL,0,'area-code','area code 021 is Shanghai; outside the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(12,12,X'A82E9C2FB43FAEE4CD23F85F58E3FF8D','db01-0000-0001','uc',NULL,NULL,NULL,'8005','91380013XXXX','8005','91380013XXXX',1790989860,1790989865,1790990021,'2026-10-03',161,156,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+861380013XXXX','domestic','mobile','CN','北京','北京','中国移动','010',NULL,0,'mobile','138XXXX is a mobile prefix of 北京, area code 010; block 138 (mobile) was given to 中国移动; outside the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(13,13,X'2283FD37F6E1EA3BC2F404A9834AB40C','db01-0000-0001','uc',NULL,NULL,NULL,'8006','90085212345678','8006','90085212345678',1791079920,1791079925,1791080094,'2026-10-04',174,169,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+85212345678','hk_mo_tw','unknown','HK','香港','香港',NULL,NULL,NULL,0,'country-code','+852 is the code of HK, whose plan does not list the rest; dialled from CN','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(16,16,X'6D3A95042B6A43C5FC32996111DCA027','db01-0000-0001','uc',NULL,NULL,NULL,'8002','900442071234567','8002','900442071234567',1791350100,1791350105,1791350313,'2026-10-07',213,208,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+442071234567','international','fixed','GB',NULL,'London',NULL,NULL,NULL,0,'country-code','+442071234567 is a fixed line of GB; dialled from CN','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(18,18,X'1381AE8F594916C1F986804147A41343','db01-0000-0001','uc',NULL,NULL,NULL,'8004','8005','8004','8005',1791530220,1791530225,1791530459,'2026-10-09',239,234,'answered','1','outbound',NULL,NULL,NULL,NULL,'','8005','internal','extension',NULL,NULL,NULL,NULL,NULL,NULL,0,'extension','8005 is an extension of the site','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(19,19,X'67962AB7B4A8259E70220B1E4C8B0E59','db01-0000-0001','uc',NULL,NULL,NULL,'8005','5867XXXX','8005','5867XXXX',1790842680,1790842685,1790842932,'2026-10-01',252,247,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+86225867XXXX','local','fixed','CN','天津','天津',NULL,'022',NULL,0,'local-length','8 digits are a number of the home area 022; in the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(20,20,X'62E27F2A9160D943E94E54E774D2D818','db01-0000-0001','uc',NULL,NULL,NULL,'8006','90216234XXXX','8006','90216234XXXX',1790932740,1790932745,1790933005,'2026-10-02',265,260,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+86216234XXXX','domestic','fixed','CN','上海','上海',NULL,'021',NULL,0,'area-code','area code 021 is Shanghai; outside the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(21,21,X'DF2C0B3DD2E782CC161746D2069464DF','db01-0000-0001','uc',NULL,NULL,NULL,'8007','91380013XXXX','8007','91380013XXXX',1790986800,1790986805,1790987078,'2026-10-03',278,273,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+861380013XXXX','domestic','mobile','CN','北京','北京','中国移动','010',NULL,0,'mobile','138XXXX is a mobile prefix of 北京, area code 010; block 138 (mobile) was given to 中国移动; outside the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(22,22,X'9E52BC3E41B4F8B458FA4DAB7289FD08','db01-0000-0001','uc',NULL,NULL,NULL,'8001','90085212345678','8001','90085212345678',1791076860,1791076865,1791077151,'2026-10-04',291,286,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+85212345678','hk_mo_tw','unknown','HK','香港','香港',NULL,NULL,NULL,0,'country-code','+852 is the code of HK, whose plan does not list the rest; dialled from CN','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(25,25,X'5B9A0C9D9D5873AF6228BAEE5E627217','db01-0000-0001','uc',NULL,NULL,NULL,'8004','900442071234567','8004','900442071234567',1791347040,1791347045,1791347370,'2026-10-07',330,325,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+442071234567','international','fixed','GB',NULL,'London',NULL,NULL,NULL,0,'country-code','+442071234567 is a fixed line of GB; dialled from CN','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(27,27,X'194B422F6E031F57A55B090E07EA19C6','db01-0000-0001','uc',NULL,NULL,NULL,'8006','8005','8006','8005',1791527160,1791527165,1791527516,'2026-10-09',356,351,'answered','1','outbound',NULL,NULL,NULL,NULL,'','8005','internal','extension',NULL,NULL,NULL,NULL,NULL,NULL,0,'extension','8005 is an extension of the site','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(28,28,X'91C0AC044C2CE2C922F2E8B1A21F68F7','db01-0000-0001','uc',NULL,NULL,NULL,'8001','5867XXXX','8001','5867XXXX',1790989200,1790989205,1790989205,'2026-10-03',5,0,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+86225867XXXX','local','fixed','CN','天津','天津',NULL,'022',NULL,0,'local-length','8 digits are a number of the home area 022; in the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(30,30,X'C8C0C38589DFEDDEAE2E0D8CB00A8278','db01-0000-0001','uc',NULL,NULL,NULL,'8002','58674577','8002','58674577',1791075600,1791075605,1791075665,'2026-10-04',65,60,'answered','1','outbound',NULL,NULL,NULL,NULL,'called inbound by the PBX, but an extension of the site called a number outside','+862258674577','local','fixed','CN','天津','天津',NULL,'022',NULL,0,'local-length','8 digits are a number of the home area 022; in the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(31,31,X'225A098C05B508B902133A96E2DAD21F','db01-0000-0001','uc',NULL,NULL,NULL,'8003','902162345678','8003','902162345678',1791162000,1791162005,1791162095,'2026-10-05',95,90,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+862162345678','domestic','fixed','CN','上海','上海',NULL,'021',NULL,0,'area-code','area code 021 is Shanghai; outside the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(32,33,X'09CAB53201D02E3C3EBE803BEDC51178','db01-0000-0001','uc',NULL,NULL,NULL,'8077','58674577','8077','58674577',1791248400,1791248405,1791248465,'2026-10-06',65,60,'answered','1','outbound',NULL,NULL,NULL,NULL,'','+862258674577','local','fixed','CN','天津','天津',NULL,'022',NULL,0,'local-length','8 digits are a number of the home area 022; in the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(34,38,X'3063DD9D0D2A3E30522376527D3B5E27','x','uc',NULL,NULL,NULL,'8001','58674577','8001','58674577',1791432000,1791432005,1791432035,'2026-10-08',35,30,'answered','2','outbound',NULL,NULL,NULL,NULL,'not valid JSON, repaired','+862258674577','local','fixed','CN','天津','天津',NULL,'022',NULL,0,'local-length','8 digits are a number of the home area 022; in the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(46,56,X'6D2C46C61DDF8EA561305E8FF14ADC7E','192.168.6.169','freeswitch','a-1','a-1',NULL,'8001','58674577','8001','58674577',1791600000,1791600010,1791600050,'2026-10-10',50,40,'answered',NULL,'outbound',NULL,NULL,NULL,NULL,'corrected: the record was delivered before with event 55','+862258674577','local','fixed','CN','天津','天津',NULL,'022',NULL,0,'local-length','8 digits are a number of the home area 022; in the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(47,57,X'2DF5C132E32E316BF15969BB068D845D','192.168.6.169','3cx','cdr-v20-41','cdr-v20-41','history-v20-main','+44770090XXXX','601','601','+44770090XXXX',1787385600,1787385605,1787385621,'2026-08-22',21,16,'answered',NULL,'inbound',NULL,NULL,NULL,NULL,'','+44770090XXXX','international','unknown','GB',NULL,NULL,NULL,NULL,NULL,0,'country-code','+44 is the code of GB, whose plan does not list the rest; dialled from CN','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(49,64,X'6D31FCDF149F555166BC38D25CB102A4','3631A2124XXX','yeastar-p','1651057476.362',NULL,NULL,'2005','XXXX','2005','XXXX',1651057476,1651057479,1651057500,'2022-04-27',24,21,'answered',NULL,'internal',NULL,NULL,NULL,NULL,'','XXXX','internal','extension',NULL,NULL,NULL,NULL,NULL,NULL,0,'internal-call','the PBX says the call is internal','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(50,5,X'86584BFAF49AE31028B9F0E141CB6B2C','db01-0000-0001','uc',NULL,NULL,NULL,'8005','910086','8005','910086',1791173040,1791173045,1791173110,'2026-10-05',70,65,'answered','1','outbound',NULL,NULL,NULL,NULL,'','10086','other','service','CN',NULL,NULL,NULL,NULL,NULL,0,'short-code','10086 is a short code of the Chinese numbering plan; traffic type other','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(51,6,X'8B763830F0D2208EC711C6BFBEF11C3A','db01-0000-0001','uc',NULL,NULL,NULL,'8006','9112','8006','9112',1791263100,1791263105,1791263183,'2026-10-06',83,78,'answered','1','outbound',NULL,NULL,NULL,NULL,'','112','other','service','CN',NULL,NULL,NULL,NULL,NULL,0,'short-code','112 is a short code of the Chinese numbering plan; traffic type other','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(52,8,X'2F973218FE0C908493D2F28F622D4B00','db01-0000-0001','uc',NULL,NULL,NULL,'8001','917951902162345678','8001','917951902162345678',1791443220,1791443225,1791443329,'2026-10-08',109,104,'answered','1','outbound',NULL,NULL,NULL,NULL,'','917951902162345678','other','unknown',NULL,NULL,NULL,NULL,NULL,NULL,0,'unknown','no rule of the numbering plan of CN fits 917951902162345678','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(53,14,X'BFC29606AC8992AC175C1D1247ABAC82','db01-0000-0001','uc',NULL,NULL,NULL,'8007','910086','8007','910086',1791169980,1791169985,1791170167,'2026-10-05',187,182,'answered','1','outbound',NULL,NULL,NULL,NULL,'','10086','other','service','CN',NULL,NULL,NULL,NULL,NULL,0,'short-code','10086 is a short code of the Chinese numbering plan; traffic type other','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(54,15,X'BC8AE5B49B9394EEE7E1F731C3BC99FF','db01-0000-0001','uc',NULL,NULL,NULL,'8001','9112','8001','9112',1791260040,1791260045,1791260240,'2026-10-06',200,195,'answered','1','outbound',NULL,NULL,NULL,NULL,'','112','other','service','CN',NULL,NULL,NULL,NULL,NULL,0,'short-code','112 is a short code of the Chinese numbering plan; traffic type other','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(55,17,X'64812F009DBE8EC7DCF41DB3AA566785','db01-0000-0001','uc',NULL,NULL,NULL,'8003','917951902162345678','8003','917951902162345678',1791440160,1791440165,1791440386,'2026-10-08',226,221,'answered','1','outbound',NULL,NULL,NULL,NULL,'','917951902162345678','other','unknown',NULL,NULL,NULL,NULL,NULL,NULL,0,'unknown','no rule of the numbering plan of CN fits 917951902162345678','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(56,23,X'0C91B60177389D9C8DB24965F28994B5','db01-0000-0001','uc',NULL,NULL,NULL,'8002','910086','8002','910086',1791166920,1791166925,1791167224,'2026-10-05',304,299,'answered','1','outbound',NULL,NULL,NULL,NULL,'','10086','other','service','CN',NULL,NULL,NULL,NULL,NULL,0,'short-code','10086 is a short code of the Chinese numbering plan; traffic type other','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(57,24,X'4B71F9D4C6686CDD3CA8C01EA56CC35C','db01-0000-0001','uc',NULL,NULL,NULL,'8003','9112','8003','9112',1791256980,1791256985,1791257297,'2026-10-06',317,312,'answered','1','outbound',NULL,NULL,NULL,NULL,'','112','other','service','CN',NULL,NULL,NULL,NULL,NULL,0,'short-code','112 is a short code of the Chinese numbering plan; traffic type other','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(58,26,X'70F0715B5E34298881E63FE7D47837DD','db01-0000-0001','uc',NULL,NULL,NULL,'8005','917951902162345678','8005','917951902162345678',1791437100,1791437105,1791437443,'2026-10-08',343,338,'answered','1','outbound',NULL,NULL,NULL,NULL,'','917951902162345678','other','unknown',NULL,NULL,NULL,NULL,NULL,NULL,0,'unknown','no rule of the numbering plan of CN fits 917951902162345678','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(59,29,X'1364854DD91974263F586B1CD23AB34D','db01-0000-0001','uc',NULL,NULL,NULL,'8001','99XXXX','8001','99XXXX',1790992800,1790992805,1790992865,'2026-10-03',65,60,'answered','1','outbound',NULL,NULL,NULL,NULL,'','9XXXX','other','service','CN',NULL,NULL,NULL,NULL,NULL,0,'short-code','9XXXX is a nationwide service number (95); traffic type other','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(60,37,X'C1F358F0EBA78AC41D8127168CFABFD8','x','uc',NULL,NULL,NULL,'8001','58674577','8001','58674577',1791428400,1791428400,1791428465,'2026-10-08',65,65,'answered','1','outbound',NULL,NULL,NULL,NULL,'direction: the word ''sideways'' is not known','+862258674577','local','fixed','CN','天津','天津',NULL,'022',NULL,0,'local-length','8 digits are a number of the home area 022; in the home area 022','97b294a6-9.0.42-2312');
INSERT INTO "calls" VALUES(61,63,X'83CD0F5CC48C10F1170426E380F6F810','192.168.6.169','xswitch','5c29b3fb-b75a-4dbd-a33c-e4cb8c9af829','5c29b3fb-b75a-4dbd-a33c-e4cb8c9af829','612ee4b4-4fb9-4797-9459-53840e4a99d0','10000200','10000200','10000200','10000200',1619618177,1619618177,1619618206,'2021-04-28',29,29,'answered',NULL,'outbound',NULL,NULL,NULL,NULL,'','10000200','other','service','CN',NULL,NULL,NULL,NULL,NULL,0,'short-code','1000XXXX is a short code of the Chinese numbering plan; traffic type other','97b294a6-9.0.42-2312');
CREATE TABLE carriers (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            area_code TEXT NOT NULL,
            place TEXT NOT NULL,
            operator TEXT NOT NULL,
            is_default INTEGER NOT NULL DEFAULT 0,
            decimals INTEGER NOT NULL DEFAULT 2,
            crossing TEXT NOT NULL DEFAULT 'start',
            ended INTEGER NOT NULL DEFAULT 0
        );
INSERT INTO "carriers" VALUES(1,'022-天津-电信','022','天津','电信',1,2,'start',0);
INSERT INTO "carriers" VALUES(2,'022-天津-联通','022','天津','联通',0,2,'start',0);
INSERT INTO "carriers" VALUES(3,'022-天津-移动','022','天津','移动',0,2,'start',0);
CREATE TABLE charge_history (
            run_id INTEGER NOT NULL,
            call_id INTEGER NOT NULL,
            status TEXT NOT NULL,
            fee_micro INTEGER,
            carrier_id INTEGER,
            price_id INTEGER,
            window TEXT,
            reason TEXT NOT NULL,
            meaning TEXT,
            PRIMARY KEY (run_id, call_id)
        ) WITHOUT ROWID
        ;
INSERT INTO "charge_history" VALUES(1,2,'rated',350000,1,7,NULL,'',NULL);
INSERT INTO "charge_history" VALUES(1,3,'rated',490000,1,7,NULL,'',NULL);
INSERT INTO "charge_history" VALUES(1,11,'rated',1680000,1,7,NULL,'',NULL);
INSERT INTO "charge_history" VALUES(1,12,'rated',1820000,1,7,NULL,'',NULL);
INSERT INTO "charge_history" VALUES(1,20,'rated',3080000,1,7,NULL,'',NULL);
INSERT INTO "charge_history" VALUES(1,21,'rated',3220000,1,7,NULL,'',NULL);
INSERT INTO "charge_history" VALUES(1,31,'rated',1050000,1,7,NULL,'',NULL);
CREATE TABLE charges (
            id INTEGER PRIMARY KEY,
            status TEXT NOT NULL,
            fee_micro INTEGER,
            carrier_id INTEGER,
            price_id INTEGER,
            window TEXT,
            reason TEXT NOT NULL
        , kind_id INTEGER NOT NULL DEFAULT 0, started_at INTEGER NOT NULL DEFAULT 0, billed_s INTEGER NOT NULL DEFAULT 0, local_hour INTEGER NOT NULL DEFAULT 0, extension_id INTEGER NOT NULL DEFAULT 0, place_id INTEGER NOT NULL DEFAULT 0, duration_s INTEGER NOT NULL DEFAULT 0);
INSERT INTO "charges" VALUES(1,'rated',220000,1,1,NULL,'',1,1790812800,13,17757368,1,1,18);
INSERT INTO "charges" VALUES(2,'rated',450000,1,88,NULL,'',2,1790902860,26,17757393,2,2,31);
INSERT INTO "charges" VALUES(3,'rated',210000,1,88,'weekend 00:00-24:00','',3,1790992920,39,17757418,3,3,44);
INSERT INTO "charges" VALUES(4,'rated',1800000,1,12,NULL,'',4,1791082980,52,17757443,4,4,57);
INSERT INTO "charges" VALUES(7,'rated',12800000,1,23,NULL,'',6,1791353160,91,17757518,7,6,96);
INSERT INTO "charges" VALUES(9,'free',0,1,NULL,NULL,'internal call without a price',8,1791533280,117,17757568,2,7,122);
INSERT INTO "charges" VALUES(10,'rated',220000,1,1,NULL,'',1,1790845740,130,17757377,3,1,135);
INSERT INTO "charges" VALUES(11,'rated',2160000,1,88,NULL,'',2,1790899800,143,17757392,4,2,148);
INSERT INTO "charges" VALUES(12,'rated',780000,1,88,'weekend 00:00-24:00','',3,1790989860,156,17757417,5,3,161);
INSERT INTO "charges" VALUES(13,'rated',5800000,1,12,NULL,'',4,1791079920,169,17757442,6,4,174);
INSERT INTO "charges" VALUES(16,'rated',28000000,1,23,NULL,'',6,1791350100,208,17757517,2,6,213);
INSERT INTO "charges" VALUES(18,'free',0,1,NULL,NULL,'internal call without a price',8,1791530220,234,17757567,4,7,239);
INSERT INTO "charges" VALUES(19,'rated',440000,1,1,NULL,'',1,1790842680,247,17757376,5,1,252);
INSERT INTO "charges" VALUES(20,'rated',3960000,1,88,NULL,'',2,1790932740,260,17757401,6,2,265);
INSERT INTO "charges" VALUES(21,'rated',1380000,1,88,'weekend 00:00-24:00','',3,1790986800,273,17757416,7,3,278);
INSERT INTO "charges" VALUES(22,'rated',9600000,1,12,NULL,'',4,1791076860,286,17757441,1,4,291);
INSERT INTO "charges" VALUES(25,'rated',44000000,1,23,NULL,'',6,1791347040,325,17757516,4,6,330);
INSERT INTO "charges" VALUES(27,'free',0,1,NULL,NULL,'internal call without a price',8,1791527160,351,17757566,6,7,356);
INSERT INTO "charges" VALUES(28,'free',0,1,NULL,NULL,'answered without talk time',1,1790989200,0,17757417,1,1,5);
INSERT INTO "charges" VALUES(30,'rated',220000,1,1,NULL,'',1,1791075600,60,17757441,2,1,65);
INSERT INTO "charges" VALUES(31,'rated',1350000,1,88,NULL,'',2,1791162000,90,17757465,3,2,95);
INSERT INTO "charges" VALUES(32,'filtered',0,1,NULL,NULL,'left out by call filter 1: extension 807X',1,1791248400,60,17757489,8,1,65);
INSERT INTO "charges" VALUES(34,'rated',220000,1,1,NULL,'',9,1791432000,30,17757540,1,1,35);
INSERT INTO "charges" VALUES(46,'rated',220000,1,1,NULL,'',10,1791600000,40,17757586,1,1,50);
INSERT INTO "charges" VALUES(47,'free',0,1,NULL,NULL,'incoming call without a price',11,1787385600,16,17756416,9,8,21);
INSERT INTO "charges" VALUES(49,'free',0,1,NULL,NULL,'internal call without a price',13,1651057476,21,17718547,11,7,24);
INSERT INTO "charges" VALUES(50,'unrated',NULL,1,NULL,NULL,'022-天津-电信 has no price for other calls to number 10086 (service number)',5,1791173040,65,17757468,5,5,70);
INSERT INTO "charges" VALUES(51,'unrated',NULL,1,NULL,NULL,'022-天津-电信 has no price for other calls to number 112 (service number)',5,1791263100,78,17757493,6,5,83);
INSERT INTO "charges" VALUES(52,'unrated',NULL,1,NULL,NULL,'022-天津-电信 has no price for other calls to number 917951902162345678',7,1791443220,104,17757543,1,7,109);
INSERT INTO "charges" VALUES(53,'unrated',NULL,1,NULL,NULL,'022-天津-电信 has no price for other calls to number 10086 (service number)',5,1791169980,182,17757467,7,5,187);
INSERT INTO "charges" VALUES(54,'unrated',NULL,1,NULL,NULL,'022-天津-电信 has no price for other calls to number 112 (service number)',5,1791260040,195,17757492,1,5,200);
INSERT INTO "charges" VALUES(55,'unrated',NULL,1,NULL,NULL,'022-天津-电信 has no price for other calls to number 917951902162345678',7,1791440160,221,17757542,3,7,226);
INSERT INTO "charges" VALUES(56,'unrated',NULL,1,NULL,NULL,'022-天津-电信 has no price for other calls to number 10086 (service number)',5,1791166920,299,17757466,2,5,304);
INSERT INTO "charges" VALUES(57,'unrated',NULL,1,NULL,NULL,'022-天津-电信 has no price for other calls to number 112 (service number)',5,1791256980,312,17757491,3,5,317);
INSERT INTO "charges" VALUES(58,'unrated',NULL,1,NULL,NULL,'022-天津-电信 has no price for other calls to number 917951902162345678',7,1791437100,338,17757541,5,7,343);
INSERT INTO "charges" VALUES(59,'unrated',NULL,1,NULL,NULL,'022-天津-电信 has no price for other calls to number 9XXXX (service number)',5,1790992800,60,17757418,1,5,65);
INSERT INTO "charges" VALUES(60,'rated',220000,1,1,NULL,'',1,1791428400,65,17757539,1,1,65);
INSERT INTO "charges" VALUES(61,'unrated',NULL,1,NULL,NULL,'022-天津-电信 has no price for other calls to number 1000XXXX (service number)',12,1619618177,29,17709813,10,5,29);
CREATE TABLE cleanups (
            prefix TEXT PRIMARY KEY,
            match_length INTEGER NOT NULL,
            delete_digits INTEGER NOT NULL
        );
CREATE TABLE departments (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            parent_id INTEGER REFERENCES departments (id),
            ended INTEGER NOT NULL DEFAULT 0
        );
CREATE TABLE employees (id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE holders (
            extension TEXT NOT NULL,
            first_day TEXT NOT NULL,
            end_day TEXT NOT NULL,
            employee_id INTEGER,
            department_id INTEGER,
            PRIMARY KEY (extension, first_day)
        ) WITHOUT ROWID
        ;
CREATE TABLE holiday_overrides (day TEXT PRIMARY KEY, day_kind TEXT NOT NULL, note TEXT NOT NULL);
CREATE TABLE kinds (
            id INTEGER PRIMARY KEY,
            trunk TEXT NOT NULL,
            direction TEXT NOT NULL,
            disposition TEXT NOT NULL,
            traffic_type TEXT NOT NULL,
            line_kind TEXT NOT NULL,
            country TEXT NOT NULL,
            area_code TEXT NOT NULL,
            ip_prefix TEXT NOT NULL,
            emergency INTEGER NOT NULL,
            twin INTEGER NOT NULL,
            UNIQUE (
                traffic_type, area_code, country, line_kind, trunk, direction, disposition, ip_prefix, emergency, twin
            )
        );
INSERT INTO "kinds" VALUES(1,'1','outbound','answered','local','fixed','CN','022','',0,0);
INSERT INTO "kinds" VALUES(2,'1','outbound','answered','domestic','fixed','CN','021','',0,0);
INSERT INTO "kinds" VALUES(3,'1','outbound','answered','domestic','mobile','CN','010','',0,0);
INSERT INTO "kinds" VALUES(4,'1','outbound','answered','hk_mo_tw','unknown','HK','','',0,0);
INSERT INTO "kinds" VALUES(5,'1','outbound','answered','other','service','CN','','',0,0);
INSERT INTO "kinds" VALUES(6,'1','outbound','answered','international','fixed','GB','','',0,0);
INSERT INTO "kinds" VALUES(7,'1','outbound','answered','other','unknown','','','',0,0);
INSERT INTO "kinds" VALUES(8,'1','outbound','answered','internal','extension','','','',0,0);
INSERT INTO "kinds" VALUES(9,'2','outbound','answered','local','fixed','CN','022','',0,0);
INSERT INTO "kinds" VALUES(10,'','outbound','answered','local','fixed','CN','022','',0,0);
INSERT INTO "kinds" VALUES(11,'','inbound','answered','international','unknown','GB','','',0,0);
INSERT INTO "kinds" VALUES(12,'','outbound','answered','other','service','CN','','',0,0);
INSERT INTO "kinds" VALUES(13,'','internal','answered','internal','extension','','','',0,0);
CREATE TABLE live_calls (
            pbx TEXT NOT NULL,
            call_id TEXT NOT NULL,
            phase TEXT NOT NULL,
            state TEXT NOT NULL,
            caller TEXT,
            callee TEXT,
            extension TEXT,
            number TEXT,
            trunk TEXT,
            direction TEXT,
            first_event_at INTEGER NOT NULL,
            last_event_at INTEGER NOT NULL,
            answered_at INTEGER,
            event_id INTEGER NOT NULL,
            PRIMARY KEY (pbx, call_id)
        );
INSERT INTO "live_calls" VALUES('5678','f615986c-2001-11e5-bdee-6599352d46ce','ringing','ring','90532000000','908508850000','908508850000','90532000000',NULL,'inbound',1795850731,1795850731,NULL,58);
INSERT INTO "live_calls" VALUES('91eb05e5c68d7ca05e7618b6821d2d16','NDlkNGI3OTZlMDgzNWQxNGYxNTA3NjQ4NDZjNDFkOTc','talking','bridge','+15556783945','+15552345678',NULL,'+15552345678',NULL,NULL,1795850731,1795850731,1795850731,60);
INSERT INTO "live_calls" VALUES('a09805021987','1589953310.1724','talking','answer','101','106',NULL,'106',NULL,NULL,1795850731,1795850731,1795850731,61);
INSERT INTO "live_calls" VALUES('192.168.6.169','h11.08-1770532638.2135633','talking','answer','+918065250000','+919594770000','+918065250000','+919594770000',NULL,'outbound',1795850731,1795850731,1795850731,62);
INSERT INTO "live_calls" VALUES('192.168.6.169','1495707950.331','ringing','invite','1000','1002','1002','1000','sip-142','inbound',1795850731,1795850731,NULL,66);
CREATE TABLE memberships (
            employee_id INTEGER NOT NULL REFERENCES employees (id),
            first_day TEXT NOT NULL,
            department_id INTEGER REFERENCES departments (id),
            in_use INTEGER NOT NULL DEFAULT 1,
            PRIMARY KEY (employee_id, first_day)
        ) WITHOUT ROWID
        ;
CREATE TABLE outcomes (event_id INTEGER PRIMARY KEY, status TEXT NOT NULL, reason TEXT NOT NULL);
INSERT INTO "outcomes" VALUES(32,'duplicate','delivered before with event 31');
INSERT INTO "outcomes" VALUES(34,'rejected','duration: the duration ''10000000'' is longer than a month');
INSERT INTO "outcomes" VALUES(35,'rejected','duration: the duration ''-5'' is negative');
INSERT INTO "outcomes" VALUES(36,'rejected','no time of start, answer or end (start_date: ''soon'' is not a time): uc looks for start_epoch, start_uepoch, start_stamp, start_date + start_time, call_date + call_time, call_date + start_time, …');
INSERT INTO "outcomes" VALUES(37,'rejected','1: duration: ''long'' is not a duration');
INSERT INTO "outcomes" VALUES(39,'rejected','no dialect knows this body; its names are foo, bar');
INSERT INTO "outcomes" VALUES(40,'rejected','neither JSON, XML, a form nor lines of a known kind');
INSERT INTO "outcomes" VALUES(41,'rejected','a list of 3 values that are no records');
INSERT INTO "outcomes" VALUES(42,'rejected','neither JSON, XML, a form nor lines of a known kind');
INSERT INTO "outcomes" VALUES(43,'done','an SMS');
INSERT INTO "outcomes" VALUES(44,'done','an empty body');
INSERT INTO "outcomes" VALUES(45,'rejected','JSON that is cut off: Unterminated string starting at: line 1 column 79 (char 78)');
INSERT INTO "outcomes" VALUES(46,'rejected','a list of 3 values that are no records');
INSERT INTO "outcomes" VALUES(47,'rejected','no dialect knows this body; its names are caller');
INSERT INTO "outcomes" VALUES(48,'rejected','no time of start, answer or end: uc looks for start_epoch, start_uepoch, start_stamp, start_date + start_time, call_date + call_time, call_date + start_time, …');
INSERT INTO "outcomes" VALUES(49,'rejected','no time of start, answer or end (start_date: ''9999-12-31 23:59:50'' is outside the years 1990 to 2099; answer_date: ''9999-12-31 23:59:55'' is outside the years 1990 to 2099): uc looks for start_epoch, start_uepoch, start_stamp, start_date + start_time, call_date + call_time, call_date + start_time, …');
INSERT INTO "outcomes" VALUES(50,'rejected','duration: the duration ''-5'' is negative');
INSERT INTO "outcomes" VALUES(51,'rejected','no dialect knows this body; its names are Cdr');
INSERT INTO "outcomes" VALUES(52,'rejected','XML with a document type of its own is not read');
INSERT INTO "outcomes" VALUES(53,'done','an empty body');
INSERT INTO "outcomes" VALUES(54,'rejected','neither JSON, XML, a form nor lines of a known kind');
INSERT INTO "outcomes" VALUES(55,'done','corrected by event 56');
INSERT INTO "outcomes" VALUES(59,'done','a USSD message');
INSERT INTO "outcomes" VALUES(65,'done','the PBX has restarted');
CREATE TABLE overrides (
            prefix TEXT PRIMARY KEY,
            traffic_type TEXT,
            line_kind TEXT,
            country TEXT,
            region TEXT,
            place TEXT
        );
CREATE TABLE prices (
            id INTEGER PRIMARY KEY,
            carrier_id INTEGER NOT NULL REFERENCES carriers (id),
            traffic_type TEXT NOT NULL,
            direction TEXT NOT NULL,
            line_kind TEXT,
            match TEXT NOT NULL,
            value TEXT NOT NULL,
            initial_s INTEGER NOT NULL,
            initial_fee_micro INTEGER NOT NULL,
            step_s INTEGER NOT NULL,
            step_fee_micro INTEGER NOT NULL,
            connection_fee_micro INTEGER NOT NULL,
            free_s INTEGER NOT NULL,
            minimum_fee_micro INTEGER NOT NULL,
            add_local INTEGER NOT NULL,
            effective_from TEXT NOT NULL,
            note TEXT NOT NULL,
            ended INTEGER NOT NULL DEFAULT 0
        , per_s INTEGER NOT NULL DEFAULT 0);
INSERT INTO "prices" VALUES(1,1,'local','outbound','fixed','any','',180,220000,60,110000,0,0,0,0,'2000-01-01','within the same business area (区内); source: http://tc.wangchao.net.cn/baike/detail_1429808.html (Tianjin local telephone service, 2010)',0,0);
INSERT INTO "prices" VALUES(2,2,'local','outbound','fixed','any','',180,220000,60,110000,0,0,0,0,'2000-01-01','within the same business area (区内); source: http://tc.wangchao.net.cn/baike/detail_1429808.html (Tianjin local telephone service, 2010)',0,0);
INSERT INTO "prices" VALUES(3,3,'local','outbound','fixed','any','',180,220000,60,110000,0,0,0,0,'2000-01-01','within the same business area (区内); source: http://tc.wangchao.net.cn/baike/detail_1429808.html (Tianjin local telephone service, 2010)',0,0);
INSERT INTO "prices" VALUES(4,1,'local','outbound','mobile','any','',60,200000,60,200000,0,0,0,0,'2000-01-01','source: http://tc.wangchao.net.cn/baike/detail_1429808.html (Tianjin local telephone service, 2010)',0,0);
INSERT INTO "prices" VALUES(5,2,'local','outbound','mobile','any','',60,200000,60,200000,0,0,0,0,'2000-01-01','source: http://tc.wangchao.net.cn/baike/detail_1429808.html (Tianjin local telephone service, 2010)',0,0);
INSERT INTO "prices" VALUES(6,3,'local','outbound','mobile','any','',60,200000,60,200000,0,0,0,0,'2000-01-01','source: http://tc.wangchao.net.cn/baike/detail_1429808.html (Tianjin local telephone service, 2010)',0,0);
INSERT INTO "prices" VALUES(7,1,'domestic','outbound',NULL,'any','',6,70000,6,70000,0,0,0,0,'2000-01-01','published as 60 % at night, but the published price is 0.04; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(8,2,'domestic','outbound',NULL,'any','',6,70000,6,70000,0,0,0,0,'2000-01-01','the upper limit of the merged long-distance fee; enter the contract''s price; source: https://mit.51dongshi.com/dadadese/dedahsbhh (MIIT caps, Q&A)',0,0);
INSERT INTO "prices" VALUES(9,3,'domestic','outbound',NULL,'any','',6,70000,6,70000,0,0,0,0,'2000-01-01','the upper limit of the merged long-distance fee; enter the contract''s price; source: https://mit.51dongshi.com/dadadese/dedahsbhh (MIIT caps, Q&A)',0,0);
INSERT INTO "prices" VALUES(10,2,'domestic','outbound',NULL,'pattern','1930XXXXXXXXXXN',6,60000,6,60000,0,0,0,0,'2000-01-01','dialled as 193 or 196, then 0 and the area code; source: https://ishare.iask.com/f/j8G5rr8iCJ.html (China Unicom long distance tariff)',0,0);
INSERT INTO "prices" VALUES(11,2,'domestic','outbound',NULL,'pattern','1960XXXXXXXXXXN',6,60000,6,60000,0,0,0,0,'2000-01-01','dialled as 193 or 196, then 0 and the area code; source: https://ishare.iask.com/f/j8G5rr8iCJ.html (China Unicom long distance tariff)',0,0);
INSERT INTO "prices" VALUES(12,1,'hk_mo_tw','outbound',NULL,'any','',6,200000,6,200000,0,0,0,0,'2000-01-01','source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(13,2,'hk_mo_tw','outbound',NULL,'any','',6,200000,6,200000,0,0,0,0,'2000-01-01','direct dial 00; source: https://ishare.iask.com/f/j8G5rr8iCJ.html (China Unicom long distance tariff)',0,0);
INSERT INTO "prices" VALUES(14,2,'hk_mo_tw','outbound',NULL,'prefix','193',6,180000,6,180000,0,0,0,0,'2000-01-01','dialled with 193 or 196; source: https://ishare.iask.com/f/j8G5rr8iCJ.html (China Unicom long distance tariff)',0,0);
INSERT INTO "prices" VALUES(15,2,'hk_mo_tw','outbound',NULL,'prefix','196',6,180000,6,180000,0,0,0,0,'2000-01-01','dialled with 193 or 196; source: https://ishare.iask.com/f/j8G5rr8iCJ.html (China Unicom long distance tariff)',0,0);
INSERT INTO "prices" VALUES(16,1,'international','outbound',NULL,'any','',6,800000,6,800000,0,0,0,0,'2000-01-01','source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(17,1,'international','outbound',NULL,'country','JP',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(18,1,'international','outbound',NULL,'country','US',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(19,1,'international','outbound',NULL,'country','SG',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(20,1,'international','outbound',NULL,'country','AU',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(21,1,'international','outbound',NULL,'country','NZ',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(22,1,'international','outbound',NULL,'country','FR',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(23,1,'international','outbound',NULL,'country','GB',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(24,1,'international','outbound',NULL,'country','IT',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(25,1,'international','outbound',NULL,'country','TH',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(26,1,'international','outbound',NULL,'country','MY',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(27,1,'international','outbound',NULL,'country','DE',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(28,1,'international','outbound',NULL,'country','CA',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(29,1,'international','outbound',NULL,'country','PH',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(30,1,'international','outbound',NULL,'country','ID',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(31,1,'international','outbound',NULL,'country','KR',6,800000,6,800000,0,0,0,0,'2000-01-01','60 % of 0.80 at night; source: https://www.17951ip.com.cn/2068.html (quotes shouji.189.cn/sh tariff page; approvals China Telecom market [2001]26 and (2001)97, xinbulianqing [2000]1255)',0,0);
INSERT INTO "prices" VALUES(32,2,'international','outbound',NULL,'any','',6,800000,6,800000,0,0,0,0,'2000-01-01','direct dial 00; source: https://ishare.iask.com/f/j8G5rr8iCJ.html (China Unicom long distance tariff)',0,0);
INSERT INTO "prices" VALUES(33,2,'international','outbound',NULL,'prefix','193',6,720000,6,720000,0,0,0,0,'2000-01-01','dialled with 193 or 196; source: https://ishare.iask.com/f/j8G5rr8iCJ.html (China Unicom long distance tariff)',0,0);
INSERT INTO "prices" VALUES(34,2,'international','outbound',NULL,'prefix','196',6,720000,6,720000,0,0,0,0,'2000-01-01','dialled with 193 or 196; source: https://ishare.iask.com/f/j8G5rr8iCJ.html (China Unicom long distance tariff)',0,0);
INSERT INTO "prices" VALUES(35,1,'ip_long_distance','outbound',NULL,'country','CN',60,300000,60,300000,0,0,0,0,'2000-01-01','source: https://www.uczhidao.com/wenda/19832750 (Chengdu fixed/PHS, Q&A)',0,0);
INSERT INTO "prices" VALUES(36,3,'ip_long_distance','outbound',NULL,'country','HK',60,390000,60,390000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(37,3,'ip_long_distance','outbound',NULL,'country','US',60,390000,60,390000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(38,3,'ip_long_distance','outbound',NULL,'country','CA',60,390000,60,390000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(39,3,'ip_long_distance','outbound',NULL,'country','SG',60,390000,60,390000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(40,3,'ip_long_distance','outbound',NULL,'country','MY',60,390000,60,390000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(41,3,'ip_long_distance','outbound',NULL,'country','TH',60,390000,60,390000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(42,3,'ip_long_distance','outbound',NULL,'country','IN',60,390000,60,390000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(43,3,'ip_long_distance','outbound',NULL,'country','PR',60,390000,60,390000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(44,3,'ip_long_distance','outbound',NULL,'country','MO',60,690000,60,690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(45,3,'ip_long_distance','outbound',NULL,'country','TW',60,690000,60,690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(46,3,'ip_long_distance','outbound',NULL,'country','KR',60,690000,60,690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(47,3,'ip_long_distance','outbound',NULL,'country','JP',60,690000,60,690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(48,3,'ip_long_distance','outbound',NULL,'country','VN',60,690000,60,690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(49,3,'ip_long_distance','outbound',NULL,'country','GB',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(50,3,'ip_long_distance','outbound',NULL,'country','FR',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(51,3,'ip_long_distance','outbound',NULL,'country','DE',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(52,3,'ip_long_distance','outbound',NULL,'country','AU',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(53,3,'ip_long_distance','outbound',NULL,'country','DK',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(54,3,'ip_long_distance','outbound',NULL,'country','PH',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(55,3,'ip_long_distance','outbound',NULL,'country','PT',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(56,3,'ip_long_distance','outbound',NULL,'country','RU',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(57,3,'ip_long_distance','outbound',NULL,'country','EG',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(58,3,'ip_long_distance','outbound',NULL,'country','FI',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(59,3,'ip_long_distance','outbound',NULL,'country','GR',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(60,3,'ip_long_distance','outbound',NULL,'country','ID',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(61,3,'ip_long_distance','outbound',NULL,'country','AR',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(62,3,'ip_long_distance','outbound',NULL,'country','AT',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(63,3,'ip_long_distance','outbound',NULL,'country','BN',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(64,3,'ip_long_distance','outbound',NULL,'country','CO',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(65,3,'ip_long_distance','outbound',NULL,'country','CZ',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(66,3,'ip_long_distance','outbound',NULL,'country','IL',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(67,3,'ip_long_distance','outbound',NULL,'country','IT',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(68,3,'ip_long_distance','outbound',NULL,'country','VA',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(69,3,'ip_long_distance','outbound',NULL,'country','KZ',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(70,3,'ip_long_distance','outbound',NULL,'country','LA',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(71,3,'ip_long_distance','outbound',NULL,'country','MN',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(72,3,'ip_long_distance','outbound',NULL,'country','NZ',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(73,3,'ip_long_distance','outbound',NULL,'country','NO',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(74,3,'ip_long_distance','outbound',NULL,'country','ZA',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(75,3,'ip_long_distance','outbound',NULL,'country','ES',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(76,3,'ip_long_distance','outbound',NULL,'country','LK',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(77,3,'ip_long_distance','outbound',NULL,'country','TJ',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(78,3,'ip_long_distance','outbound',NULL,'country','TR',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(79,3,'ip_long_distance','outbound',NULL,'country','UZ',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(80,3,'ip_long_distance','outbound',NULL,'country','PK',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(81,3,'ip_long_distance','outbound',NULL,'country','MF',60,1690000,60,1690000,0,0,0,0,'2000-01-01','source: https://m.777doc.com/doc-2879379.html (China Mobile international/HK-MO-TW 17951)',0,0);
INSERT INTO "prices" VALUES(82,1,'service_400_800','outbound',NULL,'pattern','400XXXXXXX',180,220000,60,110000,0,0,0,0,'2000-01-01','the local price; source: http://nbwxtz.com/nbs/1661826841196616.html (the caller of a 400 number pays the local price)',0,0);
INSERT INTO "prices" VALUES(83,2,'service_400_800','outbound',NULL,'pattern','400XXXXXXX',180,220000,60,110000,0,0,0,0,'2000-01-01','the local price; source: http://nbwxtz.com/nbs/1661826841196616.html (the caller of a 400 number pays the local price)',0,0);
INSERT INTO "prices" VALUES(84,3,'service_400_800','outbound',NULL,'pattern','400XXXXXXX',180,220000,60,110000,0,0,0,0,'2000-01-01','the local price; source: http://nbwxtz.com/nbs/1661826841196616.html (the caller of a 400 number pays the local price)',0,0);
INSERT INTO "prices" VALUES(85,1,'service_400_800','outbound',NULL,'pattern','800XXXXXXX',0,0,0,0,0,0,0,0,'2000-01-01','the called party pays; source: libphonenumber metadata: 800 numbers are toll free (Apache-2.0)',0,0);
INSERT INTO "prices" VALUES(86,2,'service_400_800','outbound',NULL,'pattern','800XXXXXXX',0,0,0,0,0,0,0,0,'2000-01-01','the called party pays; source: libphonenumber metadata: 800 numbers are toll free (Apache-2.0)',0,0);
INSERT INTO "prices" VALUES(87,3,'service_400_800','outbound',NULL,'pattern','800XXXXXXX',0,0,0,0,0,0,0,0,'2000-01-01','the called party pays; source: libphonenumber metadata: 800 numbers are toll free (Apache-2.0)',0,0);
INSERT INTO "prices" VALUES(88,1,'domestic','outbound',NULL,'any','',6,90000,6,90000,0,0,0,0,'2026-01-01','kept',0,0);
CREATE TABLE rerate_runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            started_at INTEGER NOT NULL,
            ended_at INTEGER,
            first_day TEXT NOT NULL,
            last_day TEXT NOT NULL,
            conditions TEXT NOT NULL
        );
INSERT INTO "rerate_runs" VALUES(1,1795850731,1795850731,'2026-10-01','2026-10-31','');
CREATE TABLE rollup_classes (
            id INTEGER PRIMARY KEY,
            trunk TEXT NOT NULL,
            direction TEXT NOT NULL,
            disposition TEXT NOT NULL,
            traffic_type TEXT NOT NULL,
            line_kind TEXT NOT NULL,
            carrier_id INTEGER NOT NULL,
            status TEXT NOT NULL,
            UNIQUE (trunk, direction, disposition, traffic_type, line_kind, carrier_id, status)
        );
INSERT INTO "rollup_classes" VALUES(1,'1','outbound','answered','local','fixed',1,'rated');
INSERT INTO "rollup_classes" VALUES(2,'1','outbound','answered','domestic','fixed',1,'rated');
INSERT INTO "rollup_classes" VALUES(3,'1','outbound','answered','domestic','mobile',1,'rated');
INSERT INTO "rollup_classes" VALUES(4,'1','outbound','answered','hk_mo_tw','unknown',1,'rated');
INSERT INTO "rollup_classes" VALUES(5,'1','outbound','answered','other','service',1,'unrated');
INSERT INTO "rollup_classes" VALUES(6,'1','outbound','answered','international','fixed',1,'rated');
INSERT INTO "rollup_classes" VALUES(7,'1','outbound','answered','other','unknown',1,'unrated');
INSERT INTO "rollup_classes" VALUES(8,'1','outbound','answered','internal','extension',1,'free');
INSERT INTO "rollup_classes" VALUES(9,'1','outbound','answered','local','fixed',1,'free');
INSERT INTO "rollup_classes" VALUES(10,'1','outbound','answered','local','fixed',1,'filtered');
INSERT INTO "rollup_classes" VALUES(11,'2','outbound','answered','local','fixed',1,'rated');
INSERT INTO "rollup_classes" VALUES(12,'','outbound','answered','local','fixed',1,'rated');
INSERT INTO "rollup_classes" VALUES(13,'','inbound','answered','international','unknown',1,'free');
INSERT INTO "rollup_classes" VALUES(14,'','outbound','answered','other','service',1,'unrated');
INSERT INTO "rollup_classes" VALUES(15,'','internal','answered','internal','extension',1,'free');
CREATE TABLE rollup_days (day INTEGER, extension_id INTEGER, status TEXT, calls INTEGER NOT NULL, answered INTEGER NOT NULL, duration_s INTEGER NOT NULL, billed_s INTEGER NOT NULL, fee_micro INTEGER NOT NULL, PRIMARY KEY (day, extension_id, status)) WITHOUT ROWID;
INSERT INTO "rollup_days" VALUES(737908,10,'unrated',1,1,29,29,0);
INSERT INTO "rollup_days" VALUES(738272,11,'free',1,1,24,21,0);
INSERT INTO "rollup_days" VALUES(739850,9,'free',1,1,21,16,0);
INSERT INTO "rollup_days" VALUES(739890,1,'rated',1,1,18,13,220000);
INSERT INTO "rollup_days" VALUES(739890,3,'rated',1,1,135,130,220000);
INSERT INTO "rollup_days" VALUES(739890,5,'rated',1,1,252,247,440000);
INSERT INTO "rollup_days" VALUES(739891,2,'rated',1,1,31,26,450000);
INSERT INTO "rollup_days" VALUES(739891,4,'rated',1,1,148,143,2160000);
INSERT INTO "rollup_days" VALUES(739891,6,'rated',1,1,265,260,3960000);
INSERT INTO "rollup_days" VALUES(739892,1,'free',1,1,5,0,0);
INSERT INTO "rollup_days" VALUES(739892,1,'unrated',1,1,65,60,0);
INSERT INTO "rollup_days" VALUES(739892,3,'rated',1,1,44,39,210000);
INSERT INTO "rollup_days" VALUES(739892,5,'rated',1,1,161,156,780000);
INSERT INTO "rollup_days" VALUES(739892,7,'rated',1,1,278,273,1380000);
INSERT INTO "rollup_days" VALUES(739893,1,'rated',1,1,291,286,9600000);
INSERT INTO "rollup_days" VALUES(739893,2,'rated',1,1,65,60,220000);
INSERT INTO "rollup_days" VALUES(739893,4,'rated',1,1,57,52,1800000);
INSERT INTO "rollup_days" VALUES(739893,6,'rated',1,1,174,169,5800000);
INSERT INTO "rollup_days" VALUES(739894,2,'unrated',1,1,304,299,0);
INSERT INTO "rollup_days" VALUES(739894,3,'rated',1,1,95,90,1350000);
INSERT INTO "rollup_days" VALUES(739894,5,'unrated',1,1,70,65,0);
INSERT INTO "rollup_days" VALUES(739894,7,'unrated',1,1,187,182,0);
INSERT INTO "rollup_days" VALUES(739895,1,'unrated',1,1,200,195,0);
INSERT INTO "rollup_days" VALUES(739895,3,'unrated',1,1,317,312,0);
INSERT INTO "rollup_days" VALUES(739895,6,'unrated',1,1,83,78,0);
INSERT INTO "rollup_days" VALUES(739895,8,'filtered',1,1,65,60,0);
INSERT INTO "rollup_days" VALUES(739896,2,'rated',1,1,213,208,28000000);
INSERT INTO "rollup_days" VALUES(739896,4,'rated',1,1,330,325,44000000);
INSERT INTO "rollup_days" VALUES(739896,7,'rated',1,1,96,91,12800000);
INSERT INTO "rollup_days" VALUES(739897,1,'rated',2,2,100,95,440000);
INSERT INTO "rollup_days" VALUES(739897,1,'unrated',1,1,109,104,0);
INSERT INTO "rollup_days" VALUES(739897,3,'unrated',1,1,226,221,0);
INSERT INTO "rollup_days" VALUES(739897,5,'unrated',1,1,343,338,0);
INSERT INTO "rollup_days" VALUES(739898,2,'free',1,1,122,117,0);
INSERT INTO "rollup_days" VALUES(739898,4,'free',1,1,239,234,0);
INSERT INTO "rollup_days" VALUES(739898,6,'free',1,1,356,351,0);
INSERT INTO "rollup_days" VALUES(739899,1,'rated',1,1,50,40,220000);
CREATE TABLE rollup_extensions (id INTEGER PRIMARY KEY, extension TEXT UNIQUE);
INSERT INTO "rollup_extensions" VALUES(0,NULL);
INSERT INTO "rollup_extensions" VALUES(1,'8001');
INSERT INTO "rollup_extensions" VALUES(2,'8002');
INSERT INTO "rollup_extensions" VALUES(3,'8003');
INSERT INTO "rollup_extensions" VALUES(4,'8004');
INSERT INTO "rollup_extensions" VALUES(5,'8005');
INSERT INTO "rollup_extensions" VALUES(6,'8006');
INSERT INTO "rollup_extensions" VALUES(7,'8007');
INSERT INTO "rollup_extensions" VALUES(8,'8077');
INSERT INTO "rollup_extensions" VALUES(9,'601');
INSERT INTO "rollup_extensions" VALUES(10,'10000200');
INSERT INTO "rollup_extensions" VALUES(11,'2005');
CREATE TABLE rollup_hours (hour INTEGER, class_id INTEGER, calls INTEGER NOT NULL, answered INTEGER NOT NULL, duration_s INTEGER NOT NULL, billed_s INTEGER NOT NULL, fee_micro INTEGER NOT NULL, PRIMARY KEY (hour, class_id)) WITHOUT ROWID;
INSERT INTO "rollup_hours" VALUES(17709813,14,1,1,29,29,0);
INSERT INTO "rollup_hours" VALUES(17718547,15,1,1,24,21,0);
INSERT INTO "rollup_hours" VALUES(17756416,13,1,1,21,16,0);
INSERT INTO "rollup_hours" VALUES(17757368,1,1,1,18,13,220000);
INSERT INTO "rollup_hours" VALUES(17757376,1,1,1,252,247,440000);
INSERT INTO "rollup_hours" VALUES(17757377,1,1,1,135,130,220000);
INSERT INTO "rollup_hours" VALUES(17757392,2,1,1,148,143,2160000);
INSERT INTO "rollup_hours" VALUES(17757393,2,1,1,31,26,450000);
INSERT INTO "rollup_hours" VALUES(17757401,2,1,1,265,260,3960000);
INSERT INTO "rollup_hours" VALUES(17757416,3,1,1,278,273,1380000);
INSERT INTO "rollup_hours" VALUES(17757417,3,1,1,161,156,780000);
INSERT INTO "rollup_hours" VALUES(17757417,9,1,1,5,0,0);
INSERT INTO "rollup_hours" VALUES(17757418,3,1,1,44,39,210000);
INSERT INTO "rollup_hours" VALUES(17757418,5,1,1,65,60,0);
INSERT INTO "rollup_hours" VALUES(17757441,1,1,1,65,60,220000);
INSERT INTO "rollup_hours" VALUES(17757441,4,1,1,291,286,9600000);
INSERT INTO "rollup_hours" VALUES(17757442,4,1,1,174,169,5800000);
INSERT INTO "rollup_hours" VALUES(17757443,4,1,1,57,52,1800000);
INSERT INTO "rollup_hours" VALUES(17757465,2,1,1,95,90,1350000);
INSERT INTO "rollup_hours" VALUES(17757466,5,1,1,304,299,0);
INSERT INTO "rollup_hours" VALUES(17757467,5,1,1,187,182,0);
INSERT INTO "rollup_hours" VALUES(17757468,5,1,1,70,65,0);
INSERT INTO "rollup_hours" VALUES(17757489,10,1,1,65,60,0);
INSERT INTO "rollup_hours" VALUES(17757491,5,1,1,317,312,0);
INSERT INTO "rollup_hours" VALUES(17757492,5,1,1,200,195,0);
INSERT INTO "rollup_hours" VALUES(17757493,5,1,1,83,78,0);
INSERT INTO "rollup_hours" VALUES(17757516,6,1,1,330,325,44000000);
INSERT INTO "rollup_hours" VALUES(17757517,6,1,1,213,208,28000000);
INSERT INTO "rollup_hours" VALUES(17757518,6,1,1,96,91,12800000);
INSERT INTO "rollup_hours" VALUES(17757539,1,1,1,65,65,220000);
INSERT INTO "rollup_hours" VALUES(17757540,11,1,1,35,30,220000);
INSERT INTO "rollup_hours" VALUES(17757541,7,1,1,343,338,0);
INSERT INTO "rollup_hours" VALUES(17757542,7,1,1,226,221,0);
INSERT INTO "rollup_hours" VALUES(17757543,7,1,1,109,104,0);
INSERT INTO "rollup_hours" VALUES(17757566,8,1,1,356,351,0);
INSERT INTO "rollup_hours" VALUES(17757567,8,1,1,239,234,0);
INSERT INTO "rollup_hours" VALUES(17757568,8,1,1,122,117,0);
INSERT INTO "rollup_hours" VALUES(17757586,12,1,1,50,40,220000);
CREATE TABLE rollup_month_extensions (month INTEGER, extension_id INTEGER, status TEXT, calls INTEGER NOT NULL, answered INTEGER NOT NULL, duration_s INTEGER NOT NULL, billed_s INTEGER NOT NULL, fee_micro INTEGER NOT NULL, PRIMARY KEY (month, extension_id, status)) WITHOUT ROWID;
INSERT INTO "rollup_month_extensions" VALUES(24255,10,'unrated',1,1,29,29,0);
INSERT INTO "rollup_month_extensions" VALUES(24267,11,'free',1,1,24,21,0);
INSERT INTO "rollup_month_extensions" VALUES(24319,9,'free',1,1,21,16,0);
INSERT INTO "rollup_month_extensions" VALUES(24321,1,'free',1,1,5,0,0);
INSERT INTO "rollup_month_extensions" VALUES(24321,1,'rated',5,5,459,434,10480000);
INSERT INTO "rollup_month_extensions" VALUES(24321,1,'unrated',3,3,374,359,0);
INSERT INTO "rollup_month_extensions" VALUES(24321,2,'free',1,1,122,117,0);
INSERT INTO "rollup_month_extensions" VALUES(24321,2,'rated',3,3,309,294,28670000);
INSERT INTO "rollup_month_extensions" VALUES(24321,2,'unrated',1,1,304,299,0);
INSERT INTO "rollup_month_extensions" VALUES(24321,3,'rated',3,3,274,259,1780000);
INSERT INTO "rollup_month_extensions" VALUES(24321,3,'unrated',2,2,543,533,0);
INSERT INTO "rollup_month_extensions" VALUES(24321,4,'free',1,1,239,234,0);
INSERT INTO "rollup_month_extensions" VALUES(24321,4,'rated',3,3,535,520,47960000);
INSERT INTO "rollup_month_extensions" VALUES(24321,5,'rated',2,2,413,403,1220000);
INSERT INTO "rollup_month_extensions" VALUES(24321,5,'unrated',2,2,413,403,0);
INSERT INTO "rollup_month_extensions" VALUES(24321,6,'free',1,1,356,351,0);
INSERT INTO "rollup_month_extensions" VALUES(24321,6,'rated',2,2,439,429,9760000);
INSERT INTO "rollup_month_extensions" VALUES(24321,6,'unrated',1,1,83,78,0);
INSERT INTO "rollup_month_extensions" VALUES(24321,7,'rated',2,2,374,364,14180000);
INSERT INTO "rollup_month_extensions" VALUES(24321,7,'unrated',1,1,187,182,0);
INSERT INTO "rollup_month_extensions" VALUES(24321,8,'filtered',1,1,65,60,0);
CREATE TABLE rollup_month_places (month INTEGER, place_id INTEGER, class_id INTEGER, calls INTEGER NOT NULL, answered INTEGER NOT NULL, duration_s INTEGER NOT NULL, billed_s INTEGER NOT NULL, fee_micro INTEGER NOT NULL, PRIMARY KEY (month, place_id, class_id)) WITHOUT ROWID;
INSERT INTO "rollup_month_places" VALUES(24255,5,14,1,1,29,29,0);
INSERT INTO "rollup_month_places" VALUES(24267,7,15,1,1,24,21,0);
INSERT INTO "rollup_month_places" VALUES(24319,8,13,1,1,21,16,0);
INSERT INTO "rollup_month_places" VALUES(24321,1,1,5,5,535,515,1320000);
INSERT INTO "rollup_month_places" VALUES(24321,1,9,1,1,5,0,0);
INSERT INTO "rollup_month_places" VALUES(24321,1,10,1,1,65,60,0);
INSERT INTO "rollup_month_places" VALUES(24321,1,11,1,1,35,30,220000);
INSERT INTO "rollup_month_places" VALUES(24321,1,12,1,1,50,40,220000);
INSERT INTO "rollup_month_places" VALUES(24321,2,2,4,4,539,519,7920000);
INSERT INTO "rollup_month_places" VALUES(24321,3,3,3,3,483,468,2370000);
INSERT INTO "rollup_month_places" VALUES(24321,4,4,3,3,522,507,17200000);
INSERT INTO "rollup_month_places" VALUES(24321,5,5,7,7,1226,1191,0);
INSERT INTO "rollup_month_places" VALUES(24321,6,6,3,3,639,624,84800000);
INSERT INTO "rollup_month_places" VALUES(24321,7,7,3,3,678,663,0);
INSERT INTO "rollup_month_places" VALUES(24321,7,8,3,3,717,702,0);
CREATE TABLE rollup_months (month INTEGER, extension_id INTEGER, class_id INTEGER, calls INTEGER NOT NULL, answered INTEGER NOT NULL, duration_s INTEGER NOT NULL, billed_s INTEGER NOT NULL, fee_micro INTEGER NOT NULL, PRIMARY KEY (month, extension_id, class_id)) WITHOUT ROWID;
INSERT INTO "rollup_months" VALUES(24255,10,14,1,1,29,29,0);
INSERT INTO "rollup_months" VALUES(24267,11,15,1,1,24,21,0);
INSERT INTO "rollup_months" VALUES(24319,9,13,1,1,21,16,0);
INSERT INTO "rollup_months" VALUES(24321,1,1,2,2,83,78,440000);
INSERT INTO "rollup_months" VALUES(24321,1,4,1,1,291,286,9600000);
INSERT INTO "rollup_months" VALUES(24321,1,5,2,2,265,255,0);
INSERT INTO "rollup_months" VALUES(24321,1,7,1,1,109,104,0);
INSERT INTO "rollup_months" VALUES(24321,1,9,1,1,5,0,0);
INSERT INTO "rollup_months" VALUES(24321,1,11,1,1,35,30,220000);
INSERT INTO "rollup_months" VALUES(24321,1,12,1,1,50,40,220000);
INSERT INTO "rollup_months" VALUES(24321,2,1,1,1,65,60,220000);
INSERT INTO "rollup_months" VALUES(24321,2,2,1,1,31,26,450000);
INSERT INTO "rollup_months" VALUES(24321,2,5,1,1,304,299,0);
INSERT INTO "rollup_months" VALUES(24321,2,6,1,1,213,208,28000000);
INSERT INTO "rollup_months" VALUES(24321,2,8,1,1,122,117,0);
INSERT INTO "rollup_months" VALUES(24321,3,1,1,1,135,130,220000);
INSERT INTO "rollup_months" VALUES(24321,3,2,1,1,95,90,1350000);
INSERT INTO "rollup_months" VALUES(24321,3,3,1,1,44,39,210000);
INSERT INTO "rollup_months" VALUES(24321,3,5,1,1,317,312,0);
INSERT INTO "rollup_months" VALUES(24321,3,7,1,1,226,221,0);
INSERT INTO "rollup_months" VALUES(24321,4,2,1,1,148,143,2160000);
INSERT INTO "rollup_months" VALUES(24321,4,4,1,1,57,52,1800000);
INSERT INTO "rollup_months" VALUES(24321,4,6,1,1,330,325,44000000);
INSERT INTO "rollup_months" VALUES(24321,4,8,1,1,239,234,0);
INSERT INTO "rollup_months" VALUES(24321,5,1,1,1,252,247,440000);
INSERT INTO "rollup_months" VALUES(24321,5,3,1,1,161,156,780000);
INSERT INTO "rollup_months" VALUES(24321,5,5,1,1,70,65,0);
INSERT INTO "rollup_months" VALUES(24321,5,7,1,1,343,338,0);
INSERT INTO "rollup_months" VALUES(24321,6,2,1,1,265,260,3960000);
INSERT INTO "rollup_months" VALUES(24321,6,4,1,1,174,169,5800000);
INSERT INTO "rollup_months" VALUES(24321,6,5,1,1,83,78,0);
INSERT INTO "rollup_months" VALUES(24321,6,8,1,1,356,351,0);
INSERT INTO "rollup_months" VALUES(24321,7,3,1,1,278,273,1380000);
INSERT INTO "rollup_months" VALUES(24321,7,5,1,1,187,182,0);
INSERT INTO "rollup_months" VALUES(24321,7,6,1,1,96,91,12800000);
INSERT INTO "rollup_months" VALUES(24321,8,10,1,1,65,60,0);
CREATE TABLE rollup_places (
            id INTEGER PRIMARY KEY,
            country TEXT NOT NULL,
            region TEXT NOT NULL,
            place TEXT NOT NULL,
            UNIQUE (country, region, place)
        );
INSERT INTO "rollup_places" VALUES(1,'CN','天津','天津');
INSERT INTO "rollup_places" VALUES(2,'CN','上海','上海');
INSERT INTO "rollup_places" VALUES(3,'CN','北京','北京');
INSERT INTO "rollup_places" VALUES(4,'HK','香港','香港');
INSERT INTO "rollup_places" VALUES(5,'CN','','');
INSERT INTO "rollup_places" VALUES(6,'GB','','London');
INSERT INTO "rollup_places" VALUES(7,'','','');
INSERT INTO "rollup_places" VALUES(8,'GB','','');
CREATE TABLE rollup_spans (day INTEGER PRIMARY KEY, first_id INTEGER NOT NULL, last_id INTEGER NOT NULL);
INSERT INTO "rollup_spans" VALUES(737908,48,61);
INSERT INTO "rollup_spans" VALUES(738272,49,49);
INSERT INTO "rollup_spans" VALUES(739850,47,47);
INSERT INTO "rollup_spans" VALUES(739890,1,19);
INSERT INTO "rollup_spans" VALUES(739891,2,20);
INSERT INTO "rollup_spans" VALUES(739892,3,59);
INSERT INTO "rollup_spans" VALUES(739893,4,30);
INSERT INTO "rollup_spans" VALUES(739894,5,56);
INSERT INTO "rollup_spans" VALUES(739895,6,57);
INSERT INTO "rollup_spans" VALUES(739896,7,25);
INSERT INTO "rollup_spans" VALUES(739897,8,60);
INSERT INTO "rollup_spans" VALUES(739898,9,27);
INSERT INTO "rollup_spans" VALUES(739899,46,46);
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "state" VALUES('position','66');
INSERT INTO "state" VALUES('last_call','49');
INSERT INTO "state" VALUES('anonymized_before','2026-10-04');
CREATE TABLE trunks (
            name TEXT PRIMARY KEY,
            number TEXT,
            outside_prefix TEXT,
            carrier_id INTEGER NOT NULL REFERENCES carriers (id)
        );
CREATE TABLE windows (
            price_id INTEGER NOT NULL REFERENCES prices (id),
            kind TEXT NOT NULL,
            start_s INTEGER NOT NULL,
            end_s INTEGER NOT NULL,
            initial_s INTEGER NOT NULL,
            initial_fee_micro INTEGER NOT NULL,
            step_s INTEGER NOT NULL,
            step_fee_micro INTEGER NOT NULL,
            priority INTEGER,
            name TEXT NOT NULL
        , per_s INTEGER NOT NULL DEFAULT 0);
INSERT INTO "windows" VALUES(7,'daily',0,25200,6,40000,6,40000,NULL,'',0);
INSERT INTO "windows" VALUES(10,'holiday',25200,79200,6,40000,6,40000,NULL,'',0);
INSERT INTO "windows" VALUES(10,'weekend',25200,79200,6,40000,6,40000,NULL,'',0);
INSERT INTO "windows" VALUES(10,'daily',72000,79200,6,40000,6,40000,NULL,'',0);
INSERT INTO "windows" VALUES(10,'daily',79200,25200,6,30000,6,30000,NULL,'',0);
INSERT INTO "windows" VALUES(11,'holiday',25200,79200,6,40000,6,40000,NULL,'',0);
INSERT INTO "windows" VALUES(11,'weekend',25200,79200,6,40000,6,40000,NULL,'',0);
INSERT INTO "windows" VALUES(11,'daily',72000,79200,6,40000,6,40000,NULL,'',0);
INSERT INTO "windows" VALUES(11,'daily',79200,25200,6,30000,6,30000,NULL,'',0);
INSERT INTO "windows" VALUES(17,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(18,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(19,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(20,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(21,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(22,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(23,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(24,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(25,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(26,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(27,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(28,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(29,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(30,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(31,'daily',0,25200,6,480000,6,480000,NULL,'',0);
INSERT INTO "windows" VALUES(88,'weekend',0,86400,6,30000,6,30000,NULL,'',0);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX windows_of_price ON windows (price_id);
CREATE INDEX calls_by_event ON calls (event_id);
CREATE INDEX calls_by_day ON calls (day, extension);
CREATE INDEX charges_unrated ON charges (local_hour) WHERE status = 'unrated';
CREATE UNIQUE INDEX departments_of_parent ON departments (ifnull(parent_id, 0), name);
CREATE INDEX holders_by_employee ON holders (employee_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('call_filters',1);
INSERT INTO "sqlite_sequence" VALUES('rerate_runs',1);
COMMIT;
PRAGMA user_version = 8;
