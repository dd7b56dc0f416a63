/** What a device sends: what it runs, or how its job goes. */
export type DeviceTopicKind = 'get' | 'status';

/** The filters under which every device's messages arrive. */
export const deviceTopicFilters = ['ota/v1/+/get', 'ota/v1/+/status'] as const;

const deviceTopicPattern = /^ota\/v1\/([A-Za-z0-9_.:-]{1,128})\/(get|status)$/;

/** Where a device hears of its job. */
export function jobTopic(deviceId: string): string {
  return `ota/v1/${deviceId}/job`;
}

/** Who sent a message and what it is about, or null for any other topic. */
export function parseDeviceTopic(
  topic: string,
): { readonly deviceId: string; readonly kind: DeviceTopicKind } | null {
  const match = deviceTopicPattern.exec(topic);
  if (!match) return null;
  const [, deviceId = '', kind] = match;
  return { deviceId, kind: kind as DeviceTopicKind };
}

/** Whether a device may publish to a topic: `get` and `status` of its own. */
export function mayPublish(deviceId: string, topic: string): boolean {
  return parseDeviceTopic(topic)?.deviceId === deviceId;
}

/** Whether a device may subscribe to a filter: anything below its own `ota/v1/{device}/`. */
export function maySubscribe(deviceId: string, filter: string): boolean {
  return filter.startsWith(`ota/v1/${deviceId}/`);
}
