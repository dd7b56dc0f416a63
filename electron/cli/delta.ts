import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type Compression,
  compressionSchema,
  type DeviceCost,
  type PatchFormat,
  patchFormatSchema,
  type PatchReport,
} from '../../shared/domain/delta.ts';
import { choiceText } from '../../shared/domain/delta-cost.ts';
import { byteText } from '../../shared/domain/progress-text.ts';
import type { DeltaMatrix } from '../../shared/domain/delta-matrix.ts';
import { prepareDeltas } from '../core/delta/delta-service.ts';
import { diffCommand } from './delta-diff.ts';
import { printResult } from './output.ts';
import { findRelease } from './releases.ts';
import { withSession } from './session.ts';

interface MakeOptions {
  readonly out: string;
  readonly format?: PatchFormat | 'auto';
  readonly compression?: Compression;
  readonly product?: string;
  readonly component?: string;
  readonly ramBytes?: number;
  readonly flashBytes?: number;
  readonly memoryBytes?: number;
  readonly segmentBytes?: number;
}

/** `slipway delta make|apply|inspect|diff|matrix|accept` */
export function deltaCommands(program: Command): void {
  const delta = program
    .command('delta')
    .description('make, apply and explain delta packages')
    .hook('preAction', prepareDeltas);

  delta
    .command('make <source> <target>')
    .description('make a patch and prove it by applying it')
    .requiredOption('-o, --out <patch>', 'patch file to write')
    .addOption(
      new Option(
        '--format <format>',
        'patch format; auto makes all that fit and keeps the smallest (default: auto where something is said of the device, else bsdiff, which every bspatch reads)',
      ).choices(['auto', ...patchFormatSchema.options]),
    )
    .addOption(
      new Option(
        '--compression <compression>',
        'compression of a detools, HPatchLite or HDiffPatch patch',
      ).choices(compressionSchema.options),
    )
    .option('--product <id>', 'keep to what this product of the workspace can apply')
    .option('--component <id>', 'component of the product; the first one if left out')
    .option('--ram-bytes <n>', 'RAM that the decoder may use', positive)
    .option('--flash-bytes <n>', 'flash that holds source and target side by side', positive)
    .option('--memory-bytes <n>', 'flash of an update in place', positive)
    .option('--segment-bytes <n>', 'unit of erasing of that flash', positive)
    .action((source: string, target: string, options: MakeOptions, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const { out, format, compression, product, component } = options;
        const { ramBytes, flashBytes, memoryBytes, segmentBytes } = options;
        const proof = await studio.ask('delta.make', {
          source,
          target,
          out,
          ...(format && { format }),
          ...(compression && { compression }),
          ...(product && { productId: product }),
          ...(component && { componentId: component }),
          limits: {
            ...(ramBytes && { ramBytes }),
            ...(flashBytes && { flashBytes }),
            ...(memoryBytes && { memoryBytes }),
            ...(segmentBytes && { segmentBytes }),
          },
        });
        printResult(json, proof, () =>
          [
            `${out}: ${choiceText(proof)}, ${byteText(proof.patchSizeBytes)} for ${byteText(proof.targetSizeBytes)}, made in ${(proof.elapsedMs / 1000).toFixed(1)} s`,
            `  source SHA-256 ${proof.sourceSha256}`,
            `  target SHA-256 ${proof.targetSha256}`,
            `  patch SHA-256 ${proof.patchSha256}`,
            `  proven in ${byteText(proof.proofRamBytes ?? 0)} of RAM${proof.powerLosses ? `, with ${proof.powerLosses} losses of power` : ''}`,
            ...(proof.cost ? [`  a device needs ${costText(proof.cost)}`] : []),
          ].join('\n'),
        );
        return 0;
      }),
    );

  delta
    .command('apply <source> <patch>')
    .description('rebuild the target from the source and a patch of any format')
    .requiredOption('-o, --out <target>', 'file to write')
    .option('--sha256 <hash>', 'what must come out, or nothing is written')
    .action(
      (
        source: string,
        patch: string,
        { out, sha256 }: { out: string; sha256?: string },
        command: Command,
      ) =>
        withSession(command, async ({ studio, json }) => {
          const result = await studio.ask('delta.apply', {
            source,
            patch,
            out,
            ...(sha256 && { expectedSha256: sha256.toLowerCase() }),
          });
          printResult(
            json,
            result,
            () => `${out}: ${byteText(result.sizeBytes)}, SHA-256 ${result.sha256}`,
          );
          return 0;
        }),
    );

  delta
    .command('matrix <release>')
    .description(
      'measure every source version in the field by every format that the component allows',
    )
    .requiredOption('--component <id>', 'component of the product')
    .action((name: string, options: { component: string }, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const releaseId = await findRelease(studio, name);
        const matrix = await studio.ask('delta.matrix', {
          releaseId,
          componentId: options.component,
        });
        printResult(json, matrix, () => matrixText(matrix));
        return 0;
      }),
    );

  delta
    .command('accept <release> <files...>')
    .description('record a vendor’s own delta; it is proven if its format is public')
    .requiredOption('--component <id>', 'component of the product')
    .requiredOption('--from <version>', 'version that the devices run before it')
    .action(
      (
        name: string,
        files: string[],
        options: { component: string; from: string },
        command: Command,
      ) =>
        withSession(command, async ({ studio, json }) => {
          const pkg = await studio.ask('delta.accept', {
            releaseId: await findRelease(studio, name),
            componentId: options.component,
            sourceVersion: options.from,
            files,
          });
          printResult(json, pkg, () => `${pkg.name}: recorded, ${pkg.report.verdict}`);
          return 0;
        }),
    );

  delta
    .command('inspect <patch>')
    .description('explain a patch: sizes, operations, where its bytes go')
    .action((patch: string, _options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const report = await studio.ask('delta.inspect', { patch });
        printResult(json, report, () => reportText(patch, report));
        return 0;
      }),
    );

  diffCommand(delta);
}

/** What applying a patch takes. */
function costText({ ramBytes, flashBytes, airSeconds, erases }: DeviceCost): string {
  return [
    `${byteText(ramBytes)} of RAM`,
    `${byteText(flashBytes)} of flash`,
    ...(airSeconds === null ? [] : [`${airSeconds.toFixed(1)} s over the air`]),
    ...(erases === null ? [] : [`${erases} erases`]),
  ].join(', ');
}

function matrixText(matrix: DeltaMatrix): string {
  const { componentId, targetVersion, targetSizeBytes, compressedFullBytes } = matrix;
  return [
    `To ${componentId} ${targetVersion}: ${byteText(targetSizeBytes)}, ${byteText(compressedFullBytes)} compressed`,
    ...matrix.rows.flatMap(({ sourceVersion, devices, patches, best, advice }) => [
      `  from ${sourceVersion}, ${devices ?? 'uncounted'} devices: publish the ${advice.publish === 'full' ? 'full image' : 'delta'}. ${advice.reason}`,
      ...patches.map(
        (patch, index) =>
          `    ${index === best ? '*' : ' '} ${choiceText(patch)}: ${byteText(patch.patchSizeBytes)}, ${(patch.ratio * 100).toFixed(1)} % of the compressed full image, proven; ${costText(patch.cost)}${patch.objections.map((why) => `; ${why}`).join('')}`,
      ),
    ]),
    ...matrix.unreleased.map(
      ({ version, devices }) => `  ${version}, ${devices} devices: no release has it, full only`,
    ),
  ].join('\n');
}

function reportText(patch: string, report: PatchReport): string {
  const { operations, decoder } = report;
  const needs = Object.entries(decoder).filter(([, value]) => value !== null);
  return [
    `${patch}: ${choiceText(report)}, ${byteText(report.patchSizeBytes)} for ${byteText(report.targetSizeBytes)}`,
    `  ${operations.copies} copies of ${byteText(operations.copiedBytes)}, of which ${byteText(operations.changedBytes)} change`,
    `  ${operations.inserts} insertions of ${byteText(operations.insertedBytes)}, ${operations.runs} runs of ${byteText(operations.runBytes)}`,
    ...(operations.moves > 0 ? [`  ${operations.moves} segments are moved first`] : []),
    ...report.parts.map(({ name, sizeBytes, plainSizeBytes, contents }) => {
      const plain = plainSizeBytes === null ? '' : ` from ${byteText(plainSizeBytes)}`;
      const inside = contents.map((content) => `${byteText(content.sizeBytes)} of ${content.name}`);
      return `  ${name}: ${byteText(sizeBytes)}${plain}${inside.length > 0 ? `: ${inside.join(', ')}` : ''}`;
    }),
    ...(needs.length > 0
      ? [`  decoder: ${needs.map(([name, value]) => `${name} ${value}`).join(', ')}`]
      : []),
  ].join('\n');
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('a whole number above 0 is wanted');
}
