import { Body, Controller, Get, HttpCode, Param, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { LocateRegistry, RegistryList } from '@waybill/contracts/http';
import { RegistryChecks, type TopologyRevision, TopologyRevisions } from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';
import { registryNamed } from '@waybill/topology';
import { Requires } from '../../http/access-rule.js';
import { ApiError } from '../../http/api-error.js';
import { Documented } from '../../http/api-documentation.js';
import { toRegistryList } from './registry-list.mapper.js';

@ApiTags('registries')
@ApiBearerAuth()
@Controller('api/v1/registries')
export class RegistriesController {
  readonly #revisions: TopologyRevisions;

  readonly #checks: RegistryChecks;

  constructor(revisions: TopologyRevisions, checks: RegistryChecks) {
    this.#revisions = revisions;
    this.#checks = checks;
  }

  @Get()
  @Requires('topology:read')
  @Documented({
    summary: 'Registries of the active topology, and what is known of each',
    audience: 'clients',
    status: 200,
    answer: RegistryList,
    problems: ['no-topology'],
  })
  async list(): Promise<RegistryList> {
    const [revision, records, newest] = await Promise.all([
      this.#active('list registries'),
      this.#revisions.currentRegistries(),
      this.#checks.newest(),
    ]);
    return toRegistryList(revision, records, newest);
  }

  @Put(':name/address')
  @HttpCode(204)
  @Requires('registries:locate')
  @Documented({
    summary: 'Tell where a local registry listens now; `waybill up` does it at each start',
    parameters: { name: 'name of a registry of the active topology' },
    audience: 'operators',
    status: 204,
    body: true,
    problems: ['no-topology', 'registry-unknown', 'registry-not-local'],
  })
  async locate(@Param('name') name: string, @Body({ schema: LocateRegistry }) body: LocateRegistry): Promise<void> {
    registryNamed((await this.#active('locate registry')).topology, name);
    if (!(await this.#revisions.locate(name, body.address))) {
      throw new ApiError(`${name} is not a local registry: its address stands in the topology`, { code: 'registry-not-local' });
    }
  }
  async #active(operation: string): Promise<TopologyRevision> {
    const revision = await this.#revisions.active();
    if (revision !== undefined) return revision;
    throw new PromotionError('no topology was applied yet', { code: 'no-topology', operation });
  }
}
