import { DtlsServer } from '../../coap/dtls/dtls-server.ts';
import type { HandshakeFailure } from '../../coap/dtls/server-handshake.ts';
import type { Complaints } from '../complaints.ts';
import type { DeviceStore } from '../store/devices.ts';

const failures: Readonly<Record<HandshakeFailure, string>> = {
  'unknown-identity': 'is no device of this cloud that uses LwM2M',
  'wrong-key': 'has another key than this device',
  'no-common-suite': 'offers no cipher suite with a shared key that is known here',
  'old-version': 'speaks an older DTLS than 1.2',
  malformed: 'sent what is no DTLS 1.2',
  'refused-by-peer': 'refused the handshake',
  timeout: 'did not go on with the handshake',
  abandoned: 'began anew before the handshake was through',
  'crowded-out': 'had not come far when too many others began',
};

/** Opens the port for CoAP under DTLS, where a device's id is its identity. Fails with the error of the system. */
export function openSecurePort(
  at: { readonly host: string; readonly port: number },
  devices: DeviceStore,
  complaints: Complaints,
): Promise<DtlsServer> {
  return DtlsServer.open({
    ...at,
    keyOf: (identity) => devices.dtlsKey(identity),
    onFailure: (reason, { address }, identity) => {
      const who = identity === null ? address : `${address}, as ${JSON.stringify(identity)},`;
      // What a stranger calls itself is no subject: it could have as many as it likes.
      const subject = reason === 'wrong-key' ? (identity ?? '') : `DTLS ${reason}`;
      complaints.about(subject, `${who} ${failures[reason]}`);
    },
  });
}
