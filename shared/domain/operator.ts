import { z } from 'zod';

/** What an operator of the cloud may do, each more than the one before. */
export const operatorRoles = ['viewer', 'operator', 'admin'] as const;
export const operatorRoleSchema = z.enum(operatorRoles);
export type OperatorRole = z.infer<typeof operatorRoleSchema>;

/** Whether a role is enough where `needed` is asked for. */
export function roleSuffices(role: OperatorRole, needed: OperatorRole): boolean {
  return operatorRoles.indexOf(role) >= operatorRoles.indexOf(needed);
}

export const accountSchema = z.object({
  name: z.string().regex(/^[A-Za-z0-9_.@-]{1,64}$/, 'up to 64 letters, digits, _ . @ -'),
  role: operatorRoleSchema,
  createdAt: z.string(),
});
export type Account = z.infer<typeof accountSchema>;

/** Who is at work with a cloud, as the cloud knows it. */
export const operatorSchema = z.object({
  name: accountSchema.shape.name,
  role: operatorRoleSchema,
  /** Whether decisions go on record under the name that is typed: only those of the owner, while there are no accounts. */
  typesName: z.boolean(),
});
export type Operator = z.infer<typeof operatorSchema>;

/** One thing that an operator asked the cloud to do, and how it was answered. */
export const auditEntrySchema = z.object({
  id: z.number().int(),
  at: z.string(),
  account: z.string(),
  /** Network address that the request came from. */
  address: z.string(),
  method: z.string(),
  path: z.string(),
  /** The JSON of the request, or its size and SHA-256 when it is long; null when there was none. */
  body: z.string().nullable(),
  /** HTTP status of the answer. */
  status: z.number().int(),
  /** Code of the problem that it was answered with. */
  problem: z.string().nullable(),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

export const webhookSchema = z.object({
  id: z.string(),
  url: z.url({ protocol: /^https?$/ }).max(2048),
  /** Whether each failed device is told too, beside the states of plans. */
  deviceFailures: z.boolean(),
  createdAt: z.string(),
  /** Events that were not taken yet. */
  waiting: z.number().int(),
  /** Why the last delivery failed; null when it was taken. */
  lastError: z.string().nullable(),
});
export type Webhook = z.infer<typeof webhookSchema>;
