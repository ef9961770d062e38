import { Body, Controller, Get, HttpCode, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@waybill/access';
import { ActiveTopology, AppliedTopology, ApplyTopology, type Revision } from '@waybill/contracts/http';
import { RegistryChecks, type RegistryRecord, type TopologyRevision, TopologyRevisions } from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';
import { formatDiagnostic, parseTopology } from '@waybill/topology';
import { Requires } from '../../http/access-rule.js';
import { CurrentActor } from '../../http/actor.js';
import { ApiError } from '../../http/api-error.js';
import { Documented } from '../../http/api-documentation.js';
import { toRegistryView } from '../../http/registry-view.js';

/** One answer lists no more mistakes than this. */
const maxDiagnostics = 100;

@ApiTags('topology')
@ApiBearerAuth()
@Controller('api/v1/topology')
export class TopologyController {
  readonly #revisions: TopologyRevisions;

  readonly #checks: RegistryChecks;

  constructor(revisions: TopologyRevisions, checks: RegistryChecks) {
    this.#revisions = revisions;
    this.#checks = checks;
  }

  @Put()
  @HttpCode(200)
  @Requires('topology:apply')
  @Documented({
    summary: 'Make a topology file the active revision',
    audience: 'operators',
    status: 200,
    answer: AppliedTopology,
    body: true,
    problems: ['topology-invalid'],
  })
  async apply(@Body({ schema: ApplyTopology }) body: ApplyTopology, @CurrentActor() actor: Actor): Promise<AppliedTopology> {
    const { topology, diagnostics } = parseTopology(body.source, { file: body.file, probed: await this.#checks.knownCapabilities() });
    if (topology === undefined) {
      throw new ApiError(`${body.file} is not a valid topology: nothing was changed`, {
        code: 'topology-invalid',
        errors: diagnostics
          .filter(({ severity }) => severity === 'error')
          .slice(0, maxDiagnostics)
          .map((diagnostic) => ({
            pointer: diagnostic.path,
            detail: formatDiagnostic(diagnostic),
            line: diagnostic.line,
            column: diagnostic.column,
          })),
      });
    }
    const { revision, changed } = await this.#revisions.apply(topology, body.source, actor.principal.id);
    return { revision: toRevision(revision), changed };
  }

  @Get()
  @Requires('topology:read')
  @Documented({ summary: 'The active topology', audience: 'clients', status: 200, answer: ActiveTopology, problems: ['no-topology'] })
  async active(): Promise<ActiveTopology> {
    const [revision, registries] = await Promise.all([this.#revisions.active(), this.#revisions.currentRegistries()]);
    if (revision === undefined) {
      throw new PromotionError('no topology was applied yet', { code: 'no-topology', operation: 'show topology' });
    }
    return toActive(revision, registries);
  }
}

function toActive(revision: TopologyRevision, records: readonly RegistryRecord[]): ActiveTopology {
  const { registries, paths, replications } = revision.topology;
  const addresses = new Map(records.map(({ name, address }) => [name, address]));
  return {
    revision: toRevision(revision),
    registries: Object.values(registries).map((registry) => toRegistryView(registry, addresses.get(registry.name))),
    paths: Object.values(paths).map(({ name, from, to }) => ({ name, from, to: [...to] })),
    replications: replications.map(({ from, to }) => ({ from, to: [...to] })),
    source: revision.source,
  };
}

function toRevision({ number, topology, hash, appliedBy, appliedAt }: TopologyRevision): Revision {
  return { number, name: topology.name, hash, appliedBy, appliedAt: appliedAt.toISOString() };
}
