#!/usr/bin/env python3
"""Mails last month's report: the table in the mail, the PDF with it. Needs nothing but Python and ippbx-bill.

    mail_report.py --to boss@example.com --from pbx@example.com --server mail.example.com:587 --starttls --user pbx

The password is read from the variable SMTP_PASSWORD. What follows `--` goes to `ippbx-bill report`:

    mail_report.py --to boss@example.com --server localhost -- --by department --compare previous

Nothing is printed where all is well; exit code 1 with a sentence where the report or the mail failed.
"""

import argparse
import os
import shlex
import smtplib
import ssl
import subprocess
import sys
from email.message import EmailMessage
from email.utils import formatdate, make_msgid


def main() -> None:
    wanted = arguments()
    days = [] if {"--month", "--from", "--year"} & set(wanted.report) else ["--month", "last"]
    report = [*shlex.split(wanted.command), "report", *days, *wanted.report]
    mail = message(wanted, text=output_of(report), pdf=output_of([*report, "--format", "pdf"]))
    try:
        send(wanted, mail)
    except OSError as error:  # smtplib's own errors are OSErrors, too
        sys.exit(f"the mail was not sent by {wanted.server}: {error}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Mails last month's report.")
    parser.add_argument("--to", action="append", required=True, help="repeatable")
    parser.add_argument("--from", dest="sender", default="ippbx-bill@localhost")
    parser.add_argument("--subject", default="Telephone bill")
    parser.add_argument("--server", default="localhost", metavar="HOST[:PORT]")
    parser.add_argument("--starttls", action="store_true", help="encrypt, as port 587 wants it")
    parser.add_argument("--user", help="with the password in SMTP_PASSWORD")
    parser.add_argument("--command", default="ippbx-bill", help="how ippbx-bill is called, with its global options")
    parser.add_argument("report", nargs="*", help="options of `ippbx-bill report`, after --")
    return parser.parse_args()


def output_of(command: list[str]) -> bytes:
    """What the command prints, as wide as a mail shows it; its own sentence where it fails."""
    try:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | {"COLUMNS": "100"}).stdout
    except OSError as error:
        sys.exit(f"{command[0]} cannot be run: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"no report, so no mail: {shlex.join(command)} ended with {error.returncode}")


def message(wanted: argparse.Namespace, text: bytes, pdf: bytes) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = wanted.subject, wanted.sender, ", ".join(wanted.to)
    mail["Date"], mail["Message-ID"] = formatdate(localtime=True), make_msgid()
    mail.set_content(text.decode())
    mail.add_attachment(pdf, maintype="application", subtype="pdf", filename="report.pdf")
    return mail


def send(wanted: argparse.Namespace, mail: EmailMessage) -> None:
    host, _, port = wanted.server.partition(":")
    with smtplib.SMTP(host, int(port or 25), timeout=60) as server:
        if wanted.starttls:
            server.starttls(context=ssl.create_default_context())
        if wanted.user:
            server.login(wanted.user, os.environ.get("SMTP_PASSWORD", ""))
        server.send_message(mail)


if __name__ == "__main__":
    main()
