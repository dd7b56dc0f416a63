/** How records of a suite are protected: AES-128 with SHA-256 as the hash of the handshake. */
export interface CipherSuite {
  readonly id: number;
  readonly mode: 'ccm' | 'gcm';
  readonly tagBytes: number;
}

/**
 * Suites with a shared key, those with the longer tag first (RFC 5487, RFC 6655):
 * TLS_PSK_WITH_AES_128_GCM_SHA256, TLS_PSK_WITH_AES_128_CCM, and TLS_PSK_WITH_AES_128_CCM_8, which
 * LwM2M TS 1.0.2, 7.1.7 demands.
 */
export const cipherSuites: readonly CipherSuite[] = [
  { id: 0x00a8, mode: 'gcm', tagBytes: 16 },
  { id: 0xc0a4, mode: 'ccm', tagBytes: 16 },
  { id: 0xc0a8, mode: 'ccm', tagBytes: 8 },
];
