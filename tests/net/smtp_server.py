"""A mail server for the tests: aiosmtpd in clear, with STARTTLS and with TLS, each on a port of its own.

smtp_server.py FOLDER: makes server.crt and server.key there, prints the three ports in a line, then a line for each
letter it took, as the email package reads it. Ends when its input does. With --journey behind it the lines are JSON
and it stays until it is killed. What becomes of a letter is in the local part of its recipient."""
import asyncio
import email
import email.policy
import email.utils
import functools
import json
import ssl
import subprocess
import sys

from aiosmtpd.smtp import SMTP, AuthResult

RECIPIENTS = {
    'full': '450 4.2.2 <full@example.kz> mailbox full',
    'nobody': '550-5.1.1 <nobody@example.kz> no such user\r\n550 5.1.1 look at the address',
    'old': '553 no such user',
}
FIELDS = ['sender', 'recipient', 'from_name', 'from', 'to', 'subject', 'language', 'charset', 'text', 'unsubscribe',
          'auto_submitted', 'message_id', 'date', 'login', 'defects', 'long_lines']


def read_back(envelope, session):
    m = email.message_from_bytes(envelope.content, policy=email.policy.default)
    defects = list(m.defects) + [d for v in m.values() for d in v.defects]
    long_lines = sum(len(line) > 78 for line in envelope.content.split(b'\r\n'))
    sender = m['from'].addresses[0]
    return [
        envelope.mail_from, ' '.join(envelope.rcpt_tos), sender.display_name, sender.addr_spec, m['to'].addresses[0].addr_spec,
        m['subject'], m['content-language'], m.get_content_charset(), m.get_content().replace('\r\n', '/'),
        str(m['list-unsubscribe']), m['auto-submitted'], m['message-id'],
        str(int(email.utils.parsedate_to_datetime(m['date']).timestamp())),
        f'login={session.auth_data}', f'defects={len(defects)}', f'long={long_lines}',
    ]


class Handler:
    refused = set()  # those who come again

    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.partition('@')[0]
        if local == 'silent':
            await asyncio.Event().wait()
        if local in RECIPIENTS:
            return RECIPIENTS[local]
        if local == 'later' and address not in self.refused:
            self.refused.add(address)
            return '450 4.7.1 come again'
        envelope.rcpt_tos.append(address)
        return '250 2.1.5 ok'

    async def handle_DATA(self, server, session, envelope):
        if envelope.rcpt_tos[0].startswith('spam@'):
            return '554 5.7.1 looks like spam'
        fields = read_back(envelope, session)
        print(json.dumps(dict(zip(FIELDS, fields))) if '--journey' in sys.argv else '|'.join(fields), flush=True)
        if envelope.rcpt_tos[0].startswith('slow@'):
            await asyncio.sleep(2)
        return '250 2.0.0 queued'


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b'kezek', 'құпия'.encode())
    return AuthResult(success=good, handled=False, auth_data=f'{mechanism}:{data.login.decode()}')


async def main(folder):
    cert, key = f'{folder}/server.crt', f'{folder}/server.key'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                    '-subj', '/CN=mail', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
                   check=True, stderr=subprocess.DEVNULL)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    loop = asyncio.get_running_loop()
    smtp = functools.partial(SMTP, Handler(), hostname='mail.example.kz')
    login = {'authenticator': authenticate, 'auth_required': True}
    servers = [
        await loop.create_server(smtp, '127.0.0.1', 0),
        await loop.create_server(
            lambda: smtp(tls_context=context, require_starttls=True, **login), '127.0.0.1', 0),
        await loop.create_server(
            lambda: smtp(auth_require_tls=False, auth_exclude_mechanism=['PLAIN'], **login), '127.0.0.1', 0, ssl=context),
    ]
    print(*[s.sockets[0].getsockname()[1] for s in servers], flush=True)
    if '--journey' in sys.argv:
        await asyncio.Event().wait()
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main(sys.argv[1]))
