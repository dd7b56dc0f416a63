import {
  alertDescription,
  alertName,
  encodeAlert,
  readAlert,
} from '../../../shared/protocols/dtls/alert.ts';
import {
  type DtlsRecord,
  contentType,
  readRecords,
} from '../../../shared/protocols/dtls/record.ts';
import { type CoapAddress, Peer } from '../peer.ts';
import type { CoapTransport } from '../transport.ts';
import { UdpPort } from '../udp-port.ts';
import { type ClientCredentials, ClientHandshake } from './client-handshake.ts';
import type { SecureChannel } from './secure-channel.ts';

/** Datagrams that wait for a handshake; what is lost beyond them is sent again by CoAP. */
const maxWaiting = 16;

interface Connection {
  readonly peer: CoapAddress;
  readonly handshake: ClientHandshake;
  readonly waiting: Uint8Array[];
  channel: SecureChannel | null;
}

/** A UDP port of a device that talks to servers under DTLS, one session with each; begun with the first datagram. */
export class DtlsClient implements CoapTransport {
  readonly #udp: UdpPort;
  readonly #credentials: ClientCredentials;
  readonly #connections = new Map<string, Connection>();
  onDatagram: CoapTransport['onDatagram'] = () => undefined;
  onGone: CoapTransport['onGone'] = () => undefined;

  private constructor(udp: UdpPort, credentials: ClientCredentials) {
    this.#udp = udp;
    this.#credentials = credentials;
    udp.onDatagram = (bytes, from) => this.#receive(bytes, from);
  }

  /** Fails with the error of the system when the port cannot be had. */
  static async open(
    at: { readonly host: string; readonly port: number },
    credentials: ClientCredentials,
  ): Promise<DtlsClient> {
    return new DtlsClient(await UdpPort.open(at), credentials);
  }

  get port(): number {
    return this.#udp.port;
  }

  reaches(peer: CoapAddress): boolean {
    return this.#udp.reaches(peer);
  }

  send(bytes: Uint8Array, to: CoapAddress): void {
    const connection = this.#connections.get(Peer.keyOf(to)) ?? this.#connect(to);
    const { channel, waiting } = connection;
    if (channel) this.#udp.send(channel.seal(contentType.applicationData, bytes), to);
    else if (waiting.length < maxWaiting) waiting.push(bytes);
  }

  async close(): Promise<void> {
    for (const { channel, handshake, peer } of this.#connections.values()) {
      handshake.stop();
      if (channel) this.#udp.send(goodbye(channel), peer);
    }
    this.#connections.clear();
    await this.#udp.close();
  }

  #connect(peer: CoapAddress): Connection {
    const waiting: Uint8Array[] = [];
    const handshake = new ClientHandshake(this.#credentials, {
      send: (datagram) => this.#udp.send(datagram, peer),
      onEstablished: (channel) => {
        connection.channel = channel;
        for (const bytes of waiting.splice(0)) this.send(bytes, peer);
      },
      onFailed: (why) => this.#end(connection, why),
    });
    const connection: Connection = { peer, handshake, waiting, channel: null };
    this.#connections.set(Peer.keyOf(peer), connection);
    return connection;
  }

  #receive(datagram: Uint8Array, from: CoapAddress): void {
    for (const record of readRecords(datagram, 0)) {
      const connection = this.#connections.get(Peer.keyOf(from));
      if (!connection) return;
      const { channel, handshake } = connection;
      if (channel) this.#onContent(connection, channel, record);
      else if (record.epoch > 0) handshake.takeProtected(record);
      else if (record.type === contentType.handshake) handshake.take(record);
      else if (record.type === contentType.alert) {
        const alert = readAlert(record.fragment);
        if (alert?.isFatal) handshake.refused(alertName(alert.description));
      }
    }
  }

  #onContent(connection: Connection, channel: SecureChannel, record: DtlsRecord): void {
    const opened = channel.open(record);
    if (typeof opened === 'string') return;
    if (opened.type === contentType.applicationData)
      this.onDatagram(opened.content, connection.peer);
    else if (opened.type === contentType.alert) {
      const alert = readAlert(opened.content);
      if (alert?.isFatal || alert?.description === alertDescription.closeNotify)
        this.#end(connection, 'has closed the session');
    }
  }

  #end(connection: Connection, why: string): void {
    const { peer } = connection;
    this.#connections.delete(Peer.keyOf(peer));
    this.onGone(peer, why);
  }
}

const goodbye = (channel: SecureChannel): Uint8Array =>
  channel.seal(contentType.alert, encodeAlert(alertDescription.closeNotify));
