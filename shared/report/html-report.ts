import { byteText } from '../domain/progress-text.ts';
import type { Finding, InspectedFile, InspectReport, Verdict } from '../domain/finding.ts';
import { bySeverity, countedVerdict, worstVerdict } from '../domain/verdict.ts';
import { layerOfRule, type RuleLayer, ruleLayers } from '../messages/bundle-rules.ts';
import { htmlStyle } from './html-style.ts';
import { html, Markup } from './markup.ts';
import type { ReportSubject } from './report-subject.ts';
import { visibleText } from './visible-text.ts';

const verdicts: readonly Verdict[] = ['block', 'warn', 'could-not-check', 'pass'];
/** A sign and a word for each verdict, so that colour is never needed. */
const signs: Readonly<Record<Verdict, readonly [sign: string, word: string]>> = {
  block: ['✕', 'Blocked'],
  warn: ['!', 'Warning'],
  'could-not-check': ['?', 'Not checked'],
  pass: ['✓', 'Pass'],
};
const layerTitles: Readonly<Record<RuleLayer, string>> = {
  container: 'Container',
  image: 'Image',
  identity: 'Identity',
  hygiene: 'Hygiene',
};

/**
 * The report as one HTML page that stands alone: no script, nothing loaded, light and dark,
 * printable. Names and texts from files are escaped and made visible.
 */
export function htmlReport(report: InspectReport, subject: ReportSubject): string {
  const findings = report.files.flatMap((file) => file.findings);
  const waived = findings.filter((finding) => finding.waived !== undefined).length;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${shown(subject.title)}: ${signs[report.verdict][1]}</title>
<style>${new Markup(htmlStyle)}</style>
</head>
<body>
<header>
<h1>${shown(subject.title)}</h1>
<p class="verdict">${badge(report.verdict)} Validation report</p>
<p class="made">Made on <time datetime="${subject.at}">${subject.at}</time> by Slipway ${subject.toolVersion}</p>
<table class="counts">
<thead><tr><th scope="col">Layer</th>${verdicts.map((verdict) => html`<th scope="col">${signs[verdict][1]}</th>`)}</tr></thead>
<tbody>${ruleLayers.map((layer) => countRow(layer, findings))}</tbody>
</table>
${waived === 0 ? '' : html`<p>${waived} of the findings ${waived === 1 ? 'is' : 'are'} waived.</p>`}
</header>
<main>
${report.files.map(fileSection)}
</main>
</body>
</html>
`;
  return page.text;
}

function countRow(layer: RuleLayer, findings: readonly Finding[]): Markup {
  const own = findings.filter(({ rule }) => layerOfRule(rule) === layer);
  const cells = verdicts.map((verdict) => {
    const count = own.filter((finding) => finding.verdict === verdict).length;
    return html`<td${count === 0 ? html` class="none"` : ''}>${count}</td>`;
  });
  return html`<tr><th scope="row">${layerTitles[layer]}</th>${cells}</tr>`;
}

function fileSection(file: InspectedFile): Markup {
  const verdict = worstVerdict(file.findings.map(countedVerdict));
  const layers = ruleLayers.flatMap((layer) => {
    const own = file.findings
      .filter(({ rule }) => layerOfRule(rule) === layer)
      .toSorted((a, b) => bySeverity(a.verdict, b.verdict));
    return own.length === 0
      ? []
      : [html`<h3>${layerTitles[layer]}</h3><ul>${own.map(findingItem)}</ul>`];
  });
  return html`<section>
<h2>${badge(verdict)} <bdi>${shown(file.name)}</bdi></h2>
<dl class="facts"><div><dt>Format</dt><dd>${shown(file.format)}</dd></div>
<div><dt>Size</dt><dd>${byteText(file.sizeBytes)} (${file.sizeBytes} bytes)</dd></div>
<div><dt>SHA-256</dt><dd><code>${file.sha256}</code></dd></div></dl>
${layers}
</section>
`;
}

function findingItem(finding: Finding): Markup {
  const { rule, verdict, title, detail, fix, policy, waived, voidWaiver } = finding;
  return html`<li class="${verdict}">
<p class="title">${badge(verdict)} <strong>${shown(title)}</strong> <code>${rule}</code>${
    waived === undefined ? '' : html` <span class="waived">Waived</span>`
  }</p>
<p>${shown(detail)}</p>
${evidenceList(finding)}
${policy === undefined ? '' : html`<p class="note">Policy: ${signs[policy.own][1]} by itself, “${shown(policy.pattern)}: ${policy.set}”.</p>`}
${waived === undefined ? '' : html`<p class="note">Waived by <bdi>${shown(waived.name)}</bdi> on ${waived.at}: <bdi>${shown(waived.reason)}</bdi></p>`}
${voidWaiver === undefined ? '' : html`<p class="note">Void here: <bdi>${shown(voidWaiver.name)}</bdi> waived it on ${voidWaiver.at} for other bytes, SHA-256 <code>${voidWaiver.sha256}</code></p>`}
${verdict === 'pass' || fix === '' || waived !== undefined ? '' : html`<p class="fix"><b>Fix:</b> ${shown(fix)}</p>`}
</li>
`;
}

function evidenceList({ evidence }: Finding): Markup | string {
  const { offset, member, expected, found } = evidence;
  const facts = [
    ['Member', member],
    ['Offset', offset === undefined ? undefined : `0x${offset.toString(16).toUpperCase()}`],
    ['Expected', expected],
    ['Found', found],
  ] as const;
  const rows = facts.flatMap(([name, value]) =>
    value === undefined
      ? []
      : [html`<div><dt>${name}</dt><dd><code>${shown(value)}</code></dd></div>`],
  );
  return rows.length === 0 ? '' : html`<dl class="evidence">${rows}</dl>`;
}

function badge(verdict: Verdict): Markup {
  const [sign, word] = signs[verdict];
  return html`<span class="badge ${verdict}"><span aria-hidden="true">${sign}</span> ${word}</span>`;
}

const shown = visibleText;
