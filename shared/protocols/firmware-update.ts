/** Resources of LwM2M Object 5 (Firmware Update 1.0 to 1.2) and, from 14 on, of Object 33629. */
export const firmwareResource = {
  package: '0',
  packageUri: '1',
  update: '2',
  state: '3',
  updateResult: '5',
  packageVersion: '7',
  protocols: '8',
  delivery: '9',
  cancel: '10',
  componentName: '14',
  currentVersion: '15',
} as const;

/** Values of State, resource 3. */
export const firmwareState = { idle: 0, downloading: 1, downloaded: 2, updating: 3 } as const;

/** Values of Update Result, resource 5, that are no failure. */
export const updateResult = { initial: 0, success: 1, deferred: 11 } as const;

/** Values of Delivery Method, resource 9. */
export const deliveryMethod = { pull: 0, push: 1, both: 2 } as const;

/** Values of Protocol Support, resource 8, that are used here. */
export const packageProtocol = { coap: 0, coaps: 1, http: 2, https: 3 } as const;

const failures: Readonly<Record<number, string>> = {
  2: 'not-enough-flash',
  3: 'out-of-memory',
  4: 'connection-lost',
  5: 'integrity-check',
  6: 'unsupported-package',
  7: 'invalid-uri',
  8: 'update-failed',
  9: 'unsupported-protocol',
  10: 'cancelled',
  12: 'conflicting-state',
  13: 'dependency-error',
};

/** The failure that an Update Result tells, as a code; null when it tells none. */
export function updateFailure(result: number): string | null {
  if (Object.values<number>(updateResult).includes(result)) return null;
  return failures[result] ?? `update-result-${result}`;
}

/** Longest Package URI in bytes (resource 1). */
export const maxPackageUriBytes = 255;
