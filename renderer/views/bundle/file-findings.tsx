import { useState } from 'react';
import type { InspectedFile } from '../../../shared/domain/finding.ts';
import { takeBack, waive } from '../../stores/waivers.ts';
import type { FindingGroup } from '../../widgets/finding-groups.ts';
import { FindingList } from '../../widgets/finding-list.tsx';
import { WaiveDialog } from './waive-dialog.tsx';

/** The findings of a file, each waivable one with the way to waive it and to take that back. */
export function FileFindings(props: {
  readonly file: Pick<InspectedFile, 'name' | 'sha256' | 'findings'>;
  readonly productId: string;
  readonly version: string;
}) {
  const { file, productId, version } = props;
  const [dialog, setDialog] = useState<{
    readonly mode: 'waive' | 'take-back';
    readonly group: FindingGroup;
  } | null>(null);
  const decide = async (decision: { name: string; reason: string }) => {
    if (dialog === null) return;
    const { rule, waived } = dialog.group;
    if (dialog.mode === 'take-back') {
      await takeBack({ waiverId: waived?.waiverId ?? '', ...decision });
      return;
    }
    const { name: fileName, sha256 } = file;
    await waive({ productId, version, sha256, fileName, rule, ...decision });
  };
  return (
    <>
      <FindingList
        findings={file.findings}
        actions={{
          onWaive: (group) => setDialog({ mode: 'waive', group }),
          onTakeBack: (group) => setDialog({ mode: 'take-back', group }),
        }}
      />
      {dialog && (
        <WaiveDialog
          mode={dialog.mode}
          subject={{
            rule: dialog.group.rule,
            title: dialog.group.title,
            fileName: file.name,
            sha256: file.sha256,
            productId,
            version,
          }}
          onDecide={decide}
          onClose={() => setDialog(null)}
        />
      )}
    </>
  );
}
