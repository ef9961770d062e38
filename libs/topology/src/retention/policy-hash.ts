import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-topology.js';
import type { RetentionPolicy } from './policy.js';

/**
 * What an approval of a policy binds to: SHA-256 over canonical JSON, hexadecimal.
 * It covers all that decides what may be deleted: the registry, the repositories, the rules with their names and order,
 * `untagged`, protections, limits, grace and the time that deleted content can be brought back.
 * It leaves out `name`, `origin`, `mode` and `schedule`: they say what the policy is called, whether it acts and when.
 */
export function policyHash({ registry, repositories, rules, untagged, protect, limits, graceMs, softDelete }: RetentionPolicy): string {
  const decisive = { registry, repositories, rules, untagged, protect, limits, graceMs, softDelete };
  return createHash('sha256').update(canonicalJson(decisive)).digest('hex');
}
