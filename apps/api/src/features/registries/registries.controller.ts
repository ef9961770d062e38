import { Body, Controller, HttpCode, Param, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { LocateRegistry } from '@waybill/contracts/http';
import { TopologyRevisions } from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';
import { registryNamed } from '@waybill/topology';
import { Requires } from '../../http/access-rule.js';
import { ApiError } from '../../http/api-error.js';
import { Documented } from '../../http/api-documentation.js';

@ApiTags('registries')
@ApiBearerAuth()
@Controller('api/v1/registries')
export class RegistriesController {
  readonly #revisions: TopologyRevisions;

  constructor(revisions: TopologyRevisions) {
    this.#revisions = revisions;
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
    const revision = await this.#revisions.active();
    if (revision === undefined) {
      throw new PromotionError('no topology was applied yet', { code: 'no-topology', operation: 'locate registry' });
    }
    registryNamed(revision.topology, name);
    if (!(await this.#revisions.locate(name, body.address))) {
      throw new ApiError(`${name} is not a local registry: its address stands in the topology`, { code: 'registry-not-local' });
    }
  }
}
