/**
 * Hashes of the public keys whose private halves are in the source of MCUboot (`root-*.pem`) and
 * of TF-M's copy of it (`root-rsa-*_1.pem`): SHA-256, and the longer hash that imgtool writes next
 * to an image hash of that length.
 */
const sampleKeys: Readonly<Record<string, string>> = {
  fc5701dc6135e1323847bdc40f04d2e5bee5833b23c29f93593d00018cfa9994: 'root-rsa-2048',
  e18015993d6d2760b499274baef264b83af229e9a785f3d5bf00b9d32c1f0396: 'root-rsa-2048_1',
  bfe6d86f8826f4ff97fb96c4e6fbc4993e4619fc565da26adf34c329489adc38: 'root-rsa-3072',
  b360caf5c98c6b942a4882fa9d4823efb166a9ef6a6e4aa37c1919ed1fccc049: 'root-rsa-3072_1',
  e30466f6b8470c1f29070b17f1e2d3e94d445e3f608087fdc711e4382bb538b6: 'root-ec-p256',
  '73590e9134e142c440ef5aa3260dd6e3923a9c367a2de9da685891713babcca2c8de576ea0b8d865b42b47c27ef4d411893986eab8a0a5724ed5fe47a7b4ba8b':
    'root-ec-p256',
  '6bcd1e16d80e5fe13a5307e6f1de8344c7e50e537d9962ce35ef6db5e642fae8': 'root-ec-p384',
  '85b7bd5f5dff9a03a99927adaf6ca6febde822c1a480928324a8e60323715c5779461c496a95aee8c4f90b99779f848a':
    'root-ec-p384',
  c1907fa4eac7fae3840a78902b6f0710b037e9968e5c6274a12a28790c7d4e3c: 'root-ed25519',
  e3e129b49f1218e18e4614acb2523389c75852ebb98b4d2c6171a2fc65706ba3d1ddf85f52e71450c3e572e624695fafd41ce4d9354d6c2b19f7d6001a6ae8b0:
    'root-ed25519',
};

/** Name of the public sample key with this hash (lower-case hexadecimal), or null. */
export function knownSampleKey(keyHash: string): string | null {
  return Object.hasOwn(sampleKeys, keyHash) ? (sampleKeys[keyHash] ?? null) : null;
}
