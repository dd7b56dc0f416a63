/** The look of the HTML report: system fonts, the contrast of WCAG AA in light and dark, black on white in print. */
export const htmlStyle = `
:root { color-scheme: light dark; --text: #1f2329; --quiet: #545b62; --page: #fff; --line: #d2d6dd;
  --block: #a01522; --warn: #8f4600; --open: #7a4f00; --pass: #0f6a30; }
@media (prefers-color-scheme: dark) {
  :root { --text: #d4d7dd; --quiet: #a6a7ab; --page: #1c1f25; --line: #3b404b;
    --block: #f4a7ae; --warn: #fdcb9b; --open: #ffdd9b; --pass: #a8dfba; } }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif;
  color: var(--text); background: var(--page); overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.6rem; }
h2 { margin: 0 0 .5rem; font-size: 1.15rem; }
h3 { margin: 1rem 0 .25rem; font-size: .95rem; color: var(--quiet); }
p { margin: .2rem 0; }
code { font: .9em ui-monospace, monospace; }
.made, dt, .none { color: var(--quiet); }
section { margin-top: 1.5rem; padding-top: 1rem; border-top: 2px solid var(--line); }
ul { margin: 0; padding: 0; list-style: none; }
li { margin: .5rem 0; padding: .3rem 0 .3rem .8rem; border-left: 4px solid var(--line); }
li.block { border-color: var(--block); }
li.warn { border-color: var(--warn); }
li.could-not-check { border-left-style: dashed; border-color: var(--open); }
.badge { display: inline-block; padding: 0 .5em; font-size: .8rem; font-weight: 600;
  white-space: nowrap; border: 1px solid currentColor; border-radius: 1em; }
.badge.block { color: var(--block); }
.badge.warn { color: var(--warn); }
.badge.could-not-check { color: var(--open); border-style: dashed; }
.badge.pass { color: var(--pass); }
.waived { padding: 0 .4em; border: 1px solid var(--line); border-radius: 3px; }
dl { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; margin: .2rem 0; }
dl > div { display: flex; gap: .4rem; min-width: 0; }
dd { margin: 0; min-width: 0; }
.note { color: var(--quiet); }
.counts { margin: .8rem 0; border-collapse: collapse; font-variant-numeric: tabular-nums; }
.counts th, .counts td { padding: .1rem .9rem .1rem 0; text-align: left; }
.counts tr { border-bottom: 1px solid var(--line); }
@media print {
  :root { --text: #000; --quiet: #333; --page: #fff; --line: #999;
    --block: #000; --warn: #000; --open: #000; --pass: #000; }
  body { max-width: none; margin: 0; font-size: 10.5pt; }
  li, h2, h3 { break-inside: avoid; break-after: avoid-page; }
  li { break-after: auto; } }
`;
