import { type Clock, type IdSource, systemClock, uuidV7 } from '@waybill/kernel';
import {
  ContentError,
  effectiveCapabilities,
  type LeftBehind,
  type ProbeName,
  type ProbeOutcome,
  type ProbeResult,
  type RegistryCapabilities,
  type RegistryReport,
  type RepositoryName,
} from '@waybill/oci-model';
import type { Connection } from '../connection.js';
import { abortedError } from '../exchange.js';
import type { RepositoryScope } from '../scope.js';
import { adviceOn } from './advice.js';
import { checkContent, checkRepositories, keptId } from './check-content.js';
import { cleanUp, type CleanUp } from './clean-up.js';
import type { CheckRun, Finding, Probe } from './probe.js';
import { ProbeFailure } from './probe-failure.js';

export interface CheckOptions {
  /** Why nothing may be written; absent when writing is to be probed too. */
  readonly readOnlyBecause?: string;
  /** An earlier check could not remove all that it wrote: this one writes what is the same every time, so that it does not grow. */
  readonly leavesBehind?: boolean;
  /** How long one probe may take in milliseconds, default 15,000; the cleaning up has four times as much. */
  readonly probeMs?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly ids?: IdSource;
}

const defaultProbeMs = 15_000;
/** It is not one question but about twenty requests. */
const cleanUpProbes = 4;

/** One check under way: what was asked, and what came of it. */
export class RegistryCheck {
  readonly #options: CheckOptions;
  readonly #run: CheckRun;
  readonly #probeMs: number;
  readonly #clock: Clock;
  readonly #beganAt: Date;
  readonly #results = new Map<ProbeName, ProbeResult>();
  #capabilities: Partial<RegistryCapabilities> = {};
  #left: LeftBehind | undefined;

  constructor(connection: Connection, options: CheckOptions) {
    this.#options = options;
    this.#probeMs = options.probeMs ?? defaultProbeMs;
    this.#clock = options.clock ?? systemClock;
    this.#beganAt = this.#clock.now();
    const scopeOf = (name: RepositoryName): RepositoryScope => ({ connection, name, path: `/v2/${connection.fullName(name)}` });
    const [one, two] = checkRepositories;
    const id = options.leavesBehind === true ? keptId : (options.ids ?? uuidV7).next();
    this.#run = { connection, one: scopeOf(one), two: scopeOf(two), content: checkContent(id), clock: this.#clock };
  }

  /** @throws ContentError `aborted` when the check's signal is */
  async ask(probe: Probe): Promise<void> {
    const { signal, readOnlyBecause } = this.#options;
    if (signal?.aborted === true) throw abortedError(this.#run.connection.host, { operation: 'check registry', signal });
    const blocking = probe.after.find((name) => this.#results.get(name)?.outcome !== 'ok');
    if (probe.writes && readOnlyBecause !== undefined) this.#note(probe.name, 0, { outcome: 'skipped', why: readOnlyBecause });
    else if (blocking !== undefined) this.#note(probe.name, 0, { outcome: 'skipped', why: `${blocking} gave no answer to build on` });
    else await this.#timed(probe.name, (within) => this.#look(probe, within), this.#probeMs);
  }

  /** Whatever happened before. What an aborted check wrote is removed too, which is why its signal is not asked. */
  async cleanUp(): Promise<void> {
    if (this.#results.get('write')?.outcome !== 'ok') return;
    const signal = AbortSignal.timeout(this.#probeMs * cleanUpProbes);
    const began = this.#clock.monotonic();
    const cleaned = await cleanUp(this.#run, signal);
    this.#left = cleaned.left;
    this.#note('cleanUp', this.#clock.monotonic() - began, outcomeOf(cleaned, this.#capabilities));
  }

  report(): RegistryReport {
    const { readOnlyBecause } = this.#options;
    const { clockSkewMs } = this.#run;
    return {
      checkedAt: this.#beganAt.toISOString(),
      scope: readOnlyBecause === undefined ? 'write' : 'read',
      ...(readOnlyBecause === undefined ? {} : { readOnlyBecause }),
      probes: [...this.#results.values()],
      capabilities: effectiveCapabilities(undefined, this.#capabilities),
      ...(clockSkewMs === undefined ? {} : { clockSkewMs }),
      ...(this.#left === undefined ? {} : { leftBehind: this.#left }),
    };
  }

  async #look(probe: Probe, within: AbortSignal): Promise<ProbeOutcome> {
    const { signal } = this.#options;
    try {
      const { note, capabilities, clockSkewMs }: Finding = await probe.look(
        this.#run,
        signal === undefined ? within : AbortSignal.any([signal, within]),
      );
      this.#capabilities = { ...this.#capabilities, ...capabilities };
      this.#run.clockSkewMs ??= clockSkewMs;
      return { outcome: 'ok', ...(note === undefined ? {} : { note }) };
    } catch (error) {
      if (signal?.aborted === true || !(error instanceof ContentError || error instanceof ProbeFailure)) throw error;
      return failed(probe.name, within.aborted ? this.#tooSlow() : error);
    }
  }

  async #timed(name: ProbeName, look: (within: AbortSignal) => Promise<ProbeOutcome>, ms: number): Promise<void> {
    const began = this.#clock.monotonic();
    const outcome = await look(AbortSignal.timeout(ms));
    this.#note(name, this.#clock.monotonic() - began, outcome);
  }

  #tooSlow(): ProbeFailure {
    return new ProbeFailure(`no answer within ${this.#probeMs / 1000} s`, { code: 'timeout', operation: 'check registry' });
  }

  #note(probe: ProbeName, ms: number, outcome: ProbeOutcome): void {
    this.#results.set(probe, { probe, ms: Math.round(ms), ...outcome });
  }
}

function failed(probe: ProbeName, { code, message }: ContentError | ProbeFailure): ProbeOutcome {
  return { outcome: 'failed', code, message, advice: adviceOn(probe, code) };
}

/** What a registry that deletes nothing keeps is no failure, only to be known. */
function outcomeOf({ left, abandoned, trouble }: CleanUp, { manifestDelete, blobDelete }: Partial<RegistryCapabilities>): ProbeOutcome {
  const earlier = abandoned === 0 ? undefined : `looked after ${abandoned} earlier ${abandoned === 1 ? 'check' : 'checks'} that had not`;
  if (left === undefined) return { outcome: 'ok', ...(earlier === undefined ? {} : { note: earlier }) };
  const stays = `${left.manifests} manifests and ${left.blobs} blobs (${left.bytes} bytes) stay in ${left.repositories.join(' and ')}`;
  const isOffered = (left.manifests > 0 && manifestDelete !== false) || (left.blobs > 0 && blobDelete !== false);
  if (!isOffered && trouble === undefined) return { outcome: 'ok', note: `${stays}, since the registry does not delete them` };
  const message = trouble === undefined ? stays : `${stays}: ${trouble.message}`;
  return failed(
    'cleanUp',
    new ProbeFailure(message, { code: 'left-behind', operation: 'clean up', ...(trouble === undefined ? {} : { cause: trouble }) }),
  );
}
