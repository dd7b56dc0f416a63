import { Button, Group, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { PackageOpen } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { onBothLists, parseDeviceList } from '../../../shared/domain/device-list.ts';
import type { PlanDraftInput } from '../../../shared/domain/plan.ts';
import type { Product, Release } from '../../../shared/domain/product.ts';
import { inSequence } from '../../../shared/domain/upgrade-sequence.ts';
import { call } from '../../rpc/client.ts';
import { emptyForm, usePlanEditor } from '../../stores/plan-editor.ts';
import { useRollout } from '../../stores/rollout.ts';
import { useStudio } from '../../stores/studio.ts';
import layout from '../../widgets/columns.module.css';
import { EmptyState } from '../../widgets/empty-state.tsx';
import { Section } from '../../widgets/section.tsx';
import { CheckPanel, closedGatesText } from './check-panel.tsx';
import { ComponentField } from './component-field.tsx';
import { DeviceListField } from './device-list-field.tsx';
import { type ComponentChoice, defaultChoice, draftOf, offersOf } from './plan-choices.ts';
import { ModeSection } from './mode-section.tsx';
import { PublishDialog } from './publish-dialog.tsx';
import classes from './rollout-view.module.css';
import { ScheduleSection } from './schedule-section.tsx';
import { SequenceField } from './sequence-field.tsx';
import { StrategySection } from './strategy-section.tsx';
import { StagesSection } from './stages-section.tsx';
import { StopRulesSection } from './stop-rules-section.tsx';
import { VerificationSection } from './verification-section.tsx';
import { useFleetChange, usePlanCheck } from './use-plan-check.ts';

const previewDelayMs = 400;
const batchSampleDevices = 500;

/** Writes a plan: what it delivers and to whom, with its gates and scope beside it. */
export function EditorTab(props: { readonly release: Release; readonly product: Product }) {
  const { release, product } = props;
  const packages = useStudio((state) => state.packages);
  const openView = useStudio((state) => state.openView);
  const isCloudRunning = useStudio((state) => state.cloud?.running ?? false);
  const fleetChange = useFleetChange();
  const { forms, change, discard } = usePlanEditor();
  const savePlan = useRollout((state) => state.savePlan);
  const openTab = useRollout((state) => state.openTab);
  const [isPublishing, setPublishing] = useState(false);

  const offers = useMemo(
    () => offersOf(product, release.id, packages),
    [product, release.id, packages],
  );
  const form = forms[release.id] ?? { ...emptyForm, name: `${product.id} ${release.version}` };
  const set = (part: Partial<typeof form>): void => change(release.id, { ...form, ...part });
  const setChoice = (componentId: string, choice: ComponentChoice): void =>
    set({ choices: { ...form.choices, [componentId]: choice } });

  const hasList = form.whitelistText !== '' || form.blacklistText !== '';
  const known = useKnownDevices(product.id, hasList && isCloudRunning, fleetChange);
  const whitelist = useMemo(
    () => parseDeviceList(form.whitelistText, known),
    [form.whitelistText, known],
  );
  const blacklist = useMemo(
    () => parseDeviceList(form.blacklistText, known),
    [form.blacklistText, known],
  );
  const made = draftOf(release.id, product, offers, form, { whitelist, blacklist });
  const draftText = 'draft' in made ? JSON.stringify(made.draft) : null;
  const [settledText] = useDebouncedValue(draftText, previewDelayMs);
  const checked = usePlanCheck(
    isCloudRunning && settledText !== null ? settledText : null,
    (text) => call('plans.preview', JSON.parse(text) as PlanDraftInput),
    fleetChange,
  );
  const settledPlan = useMemo(
    () => (settledText === null ? null : (JSON.parse(settledText) as PlanDraftInput)),
    [settledText],
  );
  const included = inSequence(
    offers.filter((offer) => (form.choices[offer.componentId] ?? defaultChoice(offer)).included),
    form.sequence,
  );
  const batches = useBatches(product.id, isCloudRunning, fleetChange);
  const isSettled = settledText === draftText && !checked.isReading;
  const closed = checked.check ? closedGatesText(checked.check) : null;
  const notYet =
    'missing' in made
      ? made.missing
      : !isCloudRunning
        ? 'Start the local cloud to publish.'
        : !isSettled || !checked.check
          ? 'The gates are being computed.'
          : closed;

  if (offers.length === 0)
    return (
      <EmptyState
        icon={PackageOpen}
        sentence="This release has no version package yet, so there is nothing to roll out."
        action={
          <Button variant="default" onClick={() => openView('bundle')}>
            Add firmware files
          </Button>
        }
      />
    );
  const save = async (): Promise<string | null> => {
    if (!('draft' in made)) return null;
    const planId = await savePlan(made.draft);
    if (planId !== null) {
      discard(release.id);
      openTab('live');
    }
    return planId;
  };
  const both = onBothLists(whitelist, blacklist).length;
  return (
    <div className={`${layout.columns} ${classes.columns}`} data-kind="editor">
      <div className={`${layout.column} ${classes.column}`} data-scroll>
        <Section title="What">
          <Stack gap="sm">
            <TextInput
              label="Name of the plan"
              maxLength={100}
              value={form.name}
              onChange={(event) => set({ name: event.currentTarget.value })}
              data-testid="plan-name"
            />
            {offers.map((offer) => (
              <ComponentField
                key={offer.componentId}
                offer={offer}
                choice={form.choices[offer.componentId] ?? defaultChoice(offer)}
                onChange={(choice) => setChoice(offer.componentId, choice)}
              />
            ))}
            {included.length > 1 && (
              <SequenceField
                componentIds={included.map(({ componentId }) => componentId)}
                onChange={(sequence) => set({ sequence })}
              />
            )}
          </Stack>
        </Section>
        <Section title="Who">
          <Stack gap="sm">
            <TagsInput
              label="Batches"
              placeholder={form.batches.length === 0 ? 'Every batch' : ''}
              data={batches}
              value={[...form.batches]}
              onChange={(values) => set({ batches: values })}
            />
            <Group grow align="flex-start" gap="sm">
              <DeviceListField
                label="Whitelist"
                placeholder="Empty: every device"
                text={form.whitelistText}
                list={whitelist}
                onChange={(whitelistText) => set({ whitelistText })}
              />
              <DeviceListField
                label="Blacklist"
                placeholder="Empty: nobody"
                text={form.blacklistText}
                list={blacklist}
                onChange={(blacklistText) => set({ blacklistText })}
              />
            </Group>
            <Text size="xs" c="dimmed" data-testid="both-lists">
              One device id per line, or a table. The blacklist wins
              {both > 0 ? `: ${both} on both lists will not be upgraded.` : '.'}
            </Text>
          </Stack>
        </Section>
        <VerificationSection
          releaseId={release.id}
          componentIds={offers.map(({ componentId }) => componentId)}
          isCloudRunning={isCloudRunning}
        />
        <ModeSection options={form} onChange={set} />
        <ScheduleSection options={form} onChange={set} />
        <StrategySection options={form} onChange={set} />
        <StagesSection
          stages={form.stages}
          deviceCount={checked.check ? checked.check.scope.full + checked.check.scope.delta : null}
          onChange={(stages) => set({ stages })}
        />
        <StopRulesSection rules={form.stopRules} onChange={(stopRules) => set({ stopRules })} />
      </div>
      <div className={layout.column}>
        <CheckPanel
          checked={checked}
          plan={settledPlan}
          isCloudRunning={isCloudRunning}
          missing={'missing' in made ? made.missing : null}
        />
        <Group gap="sm" wrap="nowrap">
          <Button
            variant="default"
            style={{ flexShrink: 0 }}
            disabled={'missing' in made}
            onClick={() => void save()}
            data-testid="plan-save"
          >
            Save plan
          </Button>
          <Button
            style={{ flexShrink: 0 }}
            disabled={notYet !== null}
            onClick={() => setPublishing(true)}
            data-testid="plan-publish"
          >
            Publish…
          </Button>
          {notYet !== null && (
            <Text size="xs" c="dimmed" data-testid="publish-reason">
              {notYet}
            </Text>
          )}
        </Group>
        {checked.check && (
          <PublishDialog
            opened={isPublishing}
            version={release.version}
            planName={form.name}
            scope={checked.check.scope}
            onClose={() => setPublishing(false)}
            takePlanId={save}
          />
        )}
      </div>
    </div>
  );
}

/** The ids of all devices of a product while a list is there to be read against them, else null. */
function useKnownDevices(
  productId: string,
  isNeeded: boolean,
  fleetChange: string,
): ReadonlySet<string> | null {
  const [known, setKnown] = useState<ReadonlySet<string> | null>(null);
  useEffect(() => {
    setKnown(null);
    if (!isNeeded) return undefined;
    let isOver = false;
    call('devices.ids', { productId }).then(
      (ids) => isOver || setKnown(new Set(ids)),
      // The scope beside the lists tells why the cloud does not answer; it checks the ids again.
      () => undefined,
    );
    return () => {
      isOver = true;
    };
  }, [productId, isNeeded, fleetChange]);
  return known;
}

/** Batches among the first 500 devices, to choose from. */
function useBatches(productId: string, isCloudRunning: boolean, fleetChange: string): string[] {
  const [batches, setBatches] = useState<string[]>([]);
  useEffect(() => {
    if (!isCloudRunning) return;
    call('devices.list', { productId, limit: batchSampleDevices }).then(
      ({ items }) => setBatches([...new Set(items.flatMap(({ batch }) => batch ?? []))].toSorted()),
      // They are only suggestions, and the scope beside them tells why the cloud does not answer.
      () => setBatches([]),
    );
  }, [productId, isCloudRunning, fleetChange]);
  return batches;
}
