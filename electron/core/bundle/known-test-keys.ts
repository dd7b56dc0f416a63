import { createHash } from 'node:crypto';

/**
 * Private keys that TLS libraries publish and carry in their programs to test or measure
 * themselves, by the SHA-256 of their DER or of the body of an encrypted PEM.
 */
const testKeys: ReadonlyMap<string, string> = new Map([
  ['87e288dc7dbc29a24241b596ec8c84f949d9f09f34fc0cf69242481fb2274770', 'GnuTLS self-test'],
  ['d245e52c341a76645e1b0e56c58dc964cd4f3ecaea64a9c6d6db9897d4948a8a', 'GnuTLS self-test'],
  ['0294b4406902e33bb02f89eaf4c691328790d7a9cd01b873d68edac994f310a1', 'GnuTLS self-test'],
  ['60c323abe4854b03743005874156ef6e0343bc9c05c09a2a43335cdda19342b3', 'GnuTLS self-test'],
  ['995b8d5b08ac126a74f39d812fc8cce270d026093d810f366de923bb0fe47f60', 'GnuTLS self-test'],
  ['09416ba3e0782523c56225fb168cd58cda7796e938db1b53f79b6abbaed2bbc7', 'GnuTLS self-test'],
  ['7e38af7715bbb425a6aa8060b7c0af60aeb81d39975c55e83edcb9eae7a5e9f8', 'GnuTLS self-test'],
  ['458022ddcb5598b39253bc027eb02c4f3dba00e2bdbaef239a35bc91c9bd4f3a', 'GnuTLS self-test'],
  ['2859ff03b44c8f0e4f96604b8cced325ef4d01ca935422b2041d88d8809f8fa1', 'GnuTLS self-test'],
  ['25eec4ddd628fd5e72aa14ad2a894cb91272852bfcae48ac193656ba350f6e40', 'openssl speed'],
  ['32620d7d2ae52c11db7cc95e333e585c2552abe20da6bd5169c010fedfa4c73e', 'openssl speed'],
  ['bb6a6abd969e3ffb523c303fc951ee4ee56349d8f86f52d3386adae5cd4db004', 'openssl speed'],
  ['54da0df6070851127a23e00c2836e3dd2c6b3b78f650ce690442a0243fde31bd', 'openssl speed'],
  ['c069f7ebcd214901cd196cdfd4f785ffe3d646506217f790aee51576eef363de', 'openssl speed'],
  ['d5ad6f88cf914734f625ce2fb886c81e249e11a598554089f8bb4299d7ed681f', 'openssl speed'],
  ['171349923b709500bee59c838b58a8f8233feb55c62b6c660c31cf4ee284462f', 'openssl speed'],
  ['c9af85bb77cb430f57ee1012b3af2aaebe8ae7263a618f19236a09b686e5b615', 'Mbed TLS self-test'],
  ['1820853c99779f8e6b847a9ad7fceba765515f1e6ce991a96b7420d0299334fe', 'Mbed TLS self-test'],
  ['557e06381c7e6448cd0d98c664172f6c143dd93cbc0e0d54561bac06fe86c62d', 'Mbed TLS self-test'],
  ['916591fe3a480392ece0f0259cae9cdbc4178acd63863dfb5e8a135e5aa5fed3', 'Mbed TLS self-test'],
  ['77ffe88a785127deb761570bf12fe72fb52bb791e9e4fd5a821b92737d814ee5', 'Mbed TLS self-test'],
  ['765fa7ece8f2babda03aced0b517b5d5e5e420564226489a00a822ccb527ebec', 'Mbed TLS self-test'],
  ['05157bcfa9522d8c4caecfc667a2bcbaaa4848594000bfaa3974d423f8d1d9a8', 'Mbed TLS self-test'],
  ['09f1c1a4680df80b9e8e6e587d3a787de7402a919e366426ad807a1c0f8c98c1', 'GnuTLS self-test'],
  ['d6a5d0b3c94857d0a42032fc9ccc3dc8056403d6c893298f99541972238986f8', 'Mbed TLS self-test'],
]);

/** Where a private key was published, or null when it is not a known test key. */
export function knownTestKey(body: Uint8Array): string | null {
  return testKeys.get(createHash('sha256').update(body).digest('hex')) ?? null;
}
