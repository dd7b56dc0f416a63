import type { Command } from 'commander';
import type { Verdict } from '../../shared/domain/finding.ts';
import { judgeRule } from '../../shared/domain/policy.ts';
import { problem } from '../../shared/domain/problem.ts';
import { bundleRules, layerOfRule, type RuleLayer } from '../../shared/messages/bundle-rules.ts';
import type { BundleRule } from '../../shared/messages/rules/rule.ts';
import { printResult } from './output.ts';
import { withSession } from './session.ts';

interface ListedRule {
  readonly rule: string;
  readonly layer: RuleLayer;
  readonly title: string;
  readonly waivable: boolean;
  /** By itself. */
  readonly own: Verdict;
  /** Under the policy of the product. */
  readonly verdict: Verdict;
  /** Key of the policy that decides; null when none does. */
  readonly pattern: string | null;
}

/** `slipway bundle rules` */
export function ruleCommand(bundle: Command): void {
  bundle
    .command('rules')
    .description('list every rule, as policies and waivers name it')
    .option('--product <id>', "with what this product's policy makes of it")
    .action((options: { product?: string }, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const { product: productId } = options;
        const products = productId === undefined ? [] : await studio.ask('products.list', {});
        const product = products.find(({ id }) => id === productId);
        if (productId !== undefined && product === undefined) throw noSuchProduct(productId);
        const rules = Object.entries<BundleRule>(bundleRules).map(
          ([rule, { title, waivable, verdict: own }]): ListedRule => ({
            rule,
            layer: layerOfRule(rule),
            title,
            waivable,
            own,
            ...judgeRule(product?.policy.findings ?? {}, rule, own, waivable),
          }),
        );
        printResult(json, rules, () => rules.map(ruleText).join('\n'));
        return 0;
      }),
    );
}

const noSuchProduct = (productId: string) =>
  problem(
    'unknown-id',
    'Not found',
    `There is no product ${productId} in this workspace.`,
    'Check the id; slipway.yaml lists the products.',
    'usage',
  );

function ruleText({ rule, layer, title, waivable, own, verdict, pattern }: ListedRule): string {
  const weight = pattern === null ? own : `${own} → ${verdict} (${pattern})`;
  const firm = waivable || own === 'pass' ? '' : ', not waivable';
  return `${layer.padEnd(9)}  ${rule.padEnd(32)}  ${weight}${firm}: ${title}`;
}
