import type { Finding, InspectedFile, InspectReport, Verdict } from '../domain/finding.ts';
import { layerOfRule } from '../messages/bundle-rules.ts';
import type { ReportSubject } from './report-subject.ts';

const levels: Readonly<Record<Exclude<Verdict, 'pass'>, SarifLevel>> = {
  block: 'error',
  warn: 'warning',
  'could-not-check': 'note',
};

type SarifLevel = 'error' | 'warning' | 'note';

/** A SARIF 2.1.0 log with one run, ready for `JSON.stringify`. */
export interface SarifLog {
  readonly $schema: string;
  readonly version: '2.1.0';
  readonly runs: readonly [SarifRun];
}

interface SarifRun {
  readonly tool: { readonly driver: SarifDriver };
  readonly automationDetails: { readonly id: string };
  readonly invocations: readonly { executionSuccessful: boolean; endTimeUtc: string }[];
  readonly artifacts: readonly SarifArtifact[];
  readonly results: readonly SarifResult[];
  readonly properties: { readonly verdict: Verdict };
}

interface SarifDriver {
  readonly name: string;
  readonly semanticVersion: string;
  readonly rules: readonly SarifRule[];
}

interface SarifRule {
  readonly id: string;
  readonly shortDescription: { readonly text: string };
  readonly help: { readonly text: string };
  readonly defaultConfiguration: { readonly level: SarifLevel };
  readonly properties: {
    readonly layer: string;
    readonly waivable: boolean;
    readonly tags: readonly string[];
  };
}

interface SarifArtifact {
  readonly location: { readonly uri: string };
  readonly length: number;
  readonly hashes: { readonly 'sha-256': string };
  readonly properties: { readonly format: string };
}

interface SarifSuppression {
  readonly kind: 'external';
  readonly status: 'accepted' | 'rejected';
  readonly justification: string;
}

interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: SarifLevel;
  readonly message: { readonly text: string };
  readonly locations: readonly unknown[];
  readonly fingerprints: Readonly<Record<string, string>>;
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly suppressions: readonly SarifSuppression[];
  readonly properties: Readonly<Record<string, string | number>>;
}

/** A finding that a CI system has to show: what passed by itself is left out. */
interface Told {
  readonly finding: Finding;
  readonly file: InspectedFile;
  readonly fileIndex: number;
  readonly verdict: Exclude<Verdict, 'pass'>;
}

/**
 * The report as SARIF 2.1.0 (OASIS standard), so that CI systems show the findings. A block is an
 * error, a warning a warning, and what could not be checked a note. Waivers and findings that the
 * policy allows are suppressions.
 */
export function sarifReport(report: InspectReport, subject: ReportSubject): SarifLog {
  const told = report.files.flatMap((file, fileIndex) =>
    file.findings.flatMap((finding): Told[] => {
      const { verdict, policy } = finding;
      const shown = verdict === 'pass' && policy?.set === 'allow' ? policy.own : verdict;
      return shown === 'pass' ? [] : [{ finding, file, fileIndex, verdict: shown }];
    }),
  );
  const ruleIds = [...new Set(told.map(({ finding }) => finding.rule))];
  const counts = new Map<string, number>();
  return {
    $schema:
      'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Slipway',
            semanticVersion: subject.toolVersion,
            rules: ruleIds.map((id) => ruleOf(id, told)),
          },
        },
        automationDetails: { id: `slipway/bundle/${subject.title}/` },
        invocations: [{ executionSuccessful: true, endTimeUtc: subject.at }],
        artifacts: report.files.map((file) => ({
          location: { uri: uriOf(file.name) },
          length: file.sizeBytes,
          hashes: { 'sha-256': file.sha256 },
          properties: { format: file.format },
        })),
        results: told.map((one) => resultOf(one, ruleIds.indexOf(one.finding.rule), counts)),
        properties: { verdict: report.verdict },
      },
    ],
  };
}

function ruleOf(id: string, told: readonly Told[]): SarifRule {
  const first = told.find(({ finding }) => finding.rule === id);
  if (first === undefined) throw new Error(`no finding of rule ${id}`);
  const { title, fix, waivable, policy } = first.finding;
  const own = policy?.own ?? first.verdict;
  const layer = layerOfRule(id);
  return {
    id,
    shortDescription: { text: title },
    help: { text: fix === '' ? title : fix },
    defaultConfiguration: { level: own === 'pass' ? 'note' : levels[own] },
    properties: { layer, waivable, tags: ['firmware', layer] },
  };
}

function resultOf(
  { finding, file, fileIndex, verdict }: Told,
  ruleIndex: number,
  counts: Map<string, number>,
): SarifResult {
  const { rule, title, detail, evidence } = finding;
  const { offset, member, expected, found } = evidence;
  // Findings of one rule in one place are told apart by their order.
  const place = `${rule}|${file.name}|${member ?? ''}`;
  const count = (counts.get(place) ?? 0) + 1;
  counts.set(place, count);
  return {
    ruleId: rule,
    ruleIndex,
    level: levels[verdict],
    message: { text: `${title}: ${detail}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file.name), index: fileIndex },
          // The offset of something in a member is counted in the member.
          ...(offset === undefined || member !== undefined
            ? {}
            : { region: { byteOffset: offset } }),
        },
        ...(member === undefined
          ? {}
          : { logicalLocations: [{ fullyQualifiedName: member, kind: 'member' }] }),
      },
    ],
    fingerprints: { 'bytes/v1': `${rule}|${file.sha256}|${member ?? ''}|${count}` },
    partialFingerprints: { 'place/v1': `${place}|${count}` },
    suppressions: suppressionsOf(finding),
    properties: {
      verdict,
      layer: layerOfRule(rule),
      ...(offset !== undefined && member !== undefined ? { memberOffset: offset } : {}),
      ...(expected === undefined ? {} : { expected }),
      ...(found === undefined ? {} : { found }),
    },
  };
}

/** An empty list says that nothing is suppressed; a missing one would say that nobody knows. */
function suppressionsOf({ policy, waived, voidWaiver }: Finding): SarifSuppression[] {
  const list: SarifSuppression[] = [];
  if (policy?.set === 'allow') {
    const justification = `The policy of the product says "${policy.pattern}: allow".`;
    list.push({ kind: 'external', status: 'accepted', justification });
  }
  if (waived !== undefined) {
    const justification = `${waived.reason} (${waived.name}, ${waived.at})`;
    list.push({ kind: 'external', status: 'accepted', justification });
  }
  if (voidWaiver !== undefined) {
    const { name, at, sha256 } = voidWaiver;
    const justification = `Void: ${name} waived it on ${at} for other bytes, SHA-256 ${sha256}.`;
    list.push({ kind: 'external', status: 'rejected', justification });
  }
  return list;
}

/** A file name as a relative URI reference; what is no Unicode becomes the replacement character. */
const uriOf = (name: string): string => encodeURIComponent(name.replace(/\p{Cs}/gu, '\uFFFD'));
