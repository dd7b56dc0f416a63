import {
  type CoapMessage,
  coapCode,
  coapOption,
  isSuccess,
} from '../../../shared/protocols/coap-message.ts';
import { optionUint, pathOptions, uintOption } from '../../../shared/protocols/coap-options.ts';
import {
  type ResourceValues,
  contentFormat,
  decodeContent,
  encodeText,
  writableFormats,
} from '../../../shared/protocols/lwm2m-content.ts';
import { CoapRefusal, readBlocks } from '../../coap/block-transfer.ts';
import type { CoapSocket } from '../../coap/coap-socket.ts';
import type { Registration } from './registrations.ts';

const maxInstanceBytes = 64 * 1024;

/** Answers of a device that may know the resource, and not the format that was asked for. */
const formatRefusals: readonly number[] = [
  coapCode.badRequest,
  coapCode.badOption,
  coapCode.notAcceptable,
  coapCode.unsupportedFormat,
];

/**
 * What is asked for in turn, null leaving the choice to the device: not at once, since there are
 * clients whose own choice is a format that they do not have.
 */
const instanceFormats = [contentFormat.tlv, contentFormat.senmlCbor, contentFormat.senmlJson, null];
const resourceFormats = [
  contentFormat.text,
  contentFormat.senmlCbor,
  contentFormat.senmlJson,
  contentFormat.tlv,
  null,
];

/**
 * Reads a resource, or null when the device does not tell it, and goes on to hear of it when `watch`
 * is given (RFC 7641). Asked for as plain text, which is the simplest, until the device turns that down.
 * @param path below the root of the device: `['3', '0', '3']`
 * @throws CoapSilence
 */
export async function readResource(
  socket: CoapSocket,
  registration: Registration,
  path: readonly string[],
  watch?: (values: ResourceValues) => void,
): Promise<ResourceValues | null> {
  const valuesOf = (message: CoapMessage): ResourceValues | null => {
    if (!isSuccess(message.code)) return null;
    const format = optionUint(message.options, coapOption.contentFormat);
    return decodeContent(format, message.payload, path);
  };
  const onNotification = (message: CoapMessage): void => {
    registration.heard();
    const values = valuesOf(message);
    if (values) watch?.(values);
  };
  const ask = (accept: number | null): Promise<CoapMessage> => {
    const options = [
      ...(watch ? [uintOption(coapOption.observe, 0)] : []),
      ...pathOptions([...registration.root, ...path]),
      ...(accept === null ? [] : [uintOption(coapOption.accept, accept)]),
    ];
    const request = { code: coapCode.get, options };
    return socket.request(
      registration.address,
      watch ? { ...request, onNotification } : request,
      registration.ended.signal,
    );
  };
  const known = registration.resourceFormat;
  let response: CoapMessage | null = null;
  for (const format of known === undefined ? resourceFormats : [known]) {
    response = await ask(format);
    // Only an answer shows that it was the format: what may not be read is refused in each.
    if (isSuccess(response.code)) registration.resourceFormat = format;
    if (!formatRefusals.includes(response.code)) break;
  }
  return response && valuesOf(response);
}

/**
 * Reads all resources of an instance at once; null when the device has no format for that which is
 * understood here: then they are read one by one.
 * @throws CoapSilence
 */
export async function readInstance(
  socket: CoapSocket,
  registration: Registration,
  path: readonly string[],
): Promise<ResourceValues | null> {
  const whole = [...registration.root, ...path];
  for (const accept of instanceFormats) {
    const resource = accept === null ? { path: whole } : { path: whole, accept };
    const parts: Uint8Array[] = [];
    let format: number | null = null;
    let sizeBytes = 0;
    try {
      const { address, ended } = registration;
      for await (const block of readBlocks(socket, address, resource, ended.signal)) {
        format = block.contentFormat ?? format;
        sizeBytes += block.bytes.length;
        if (sizeBytes > maxInstanceBytes) return null;
        parts.push(block.bytes);
      }
      return decodeContent(format, Buffer.concat(parts), path);
    } catch (error) {
      if (!(error instanceof CoapRefusal)) throw error;
      if (!formatRefusals.includes(error.code)) return null;
    }
  }
  return null;
}

/**
 * Writes a text resource, in the first format that the device takes.
 * @throws CoapRefusal, CoapSilence
 */
export async function writeText(
  socket: CoapSocket,
  registration: Registration,
  path: readonly string[],
  text: string,
): Promise<void> {
  let refusedWith: number = coapCode.unsupportedFormat;
  for (const format of writableFormats) {
    const options = [
      ...pathOptions([...registration.root, ...path]),
      uintOption(coapOption.contentFormat, format),
    ];
    const payload = encodeText(format, path, text);
    const { code } = await socket.request(
      registration.address,
      { code: coapCode.put, options, payload },
      registration.ended.signal,
    );
    if (isSuccess(code)) return;
    refusedWith = code;
    if (code !== coapCode.unsupportedFormat) break;
  }
  throw new CoapRefusal(`resource ${path.at(-1)}`, refusedWith);
}
