import { runCampaign } from './campaign.ts';
import { fuzzSubjects } from './subjects.ts';

/** Cases after which everything that is only made once has been made. */
const warmUpCases = 1000;
/** Cases after which garbage is collected, so that only what readers need at once is measured. */
const casesPerCollection = 50;

/** One reader in a process of its own: `node --expose-gc child NAME CASES SEED`, the result as JSON. */
const [name = '', cases = '', seed = ''] = process.argv.slice(2);
const subject = fuzzSubjects.find((candidate) => candidate.name === name);
if (subject === undefined) throw new Error(`no reader ${name}`);

await runCampaign(subject, Math.ceil(warmUpCases * (subject.share ?? 1)), Number(seed) + 1);
globalThis.gc?.();
const before = process.memoryUsage.rss();
const wanted = Math.ceil(Number(cases) * (subject.share ?? 1));
const result = await runCampaign(subject, wanted, Number(seed), (index) => {
  if (index % casesPerCollection === 0) globalThis.gc?.();
});
const grownBytes = Math.max(0, process.resourceUsage().maxRSS * 1024 - before);
process.stdout.write(JSON.stringify({ ...result, grownBytes }));
