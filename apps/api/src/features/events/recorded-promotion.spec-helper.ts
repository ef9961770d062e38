import { uuidV7 } from '@waybill/kernel';
import type { Database } from '@waybill/persistence';

export interface RecordedFacts {
  readonly path?: string;
  readonly repository?: string;
}

/** A promotion of one item to one target, in rows alone: what a worker would do to it, a spec does. */
export class RecordedPromotion {
  private constructor(
    readonly id: string,
    private readonly database: Database,
  ) {}

  static async make(database: Database, { path = 'release', repository = 'team-a/app' }: RecordedFacts = {}): Promise<RecordedPromotion> {
    const [id, item, target] = [uuidV7.next(), uuidV7.next(), uuidV7.next()];
    const digest = new Uint8Array(32);
    await database.transaction(async (tables) => {
      await tables.$executeRaw`
        INSERT INTO principal (id, kind, issuer, subject) VALUES (${id}::uuid, 'service', 'recorded', 'spec') ON CONFLICT DO NOTHING`;
      await tables.$executeRaw`
        INSERT INTO topology_revision (number, name, document, source, hash, applied_by)
        SELECT 1, 'spec', '{}', '', ${digest}, id FROM principal WHERE issuer = 'recorded' ON CONFLICT DO NOTHING`;
      await tables.$executeRaw`
        INSERT INTO registry (id, name, role, identity, first_revision)
        SELECT ${id}::uuid, 'prod', 'prod', 'local', 1 WHERE NOT EXISTS (SELECT 1 FROM registry)`;
      await tables.$executeRaw`
        INSERT INTO promotion (id, path, revision, state, requested_by, intent, intent_hash, estimate)
        SELECT ${id}::uuid, ${path}, 1, 'requested', id, '{}', ${digest}, '{}' FROM principal WHERE issuer = 'recorded'`;
      await tables.$executeRaw`
        INSERT INTO promotion_item (id, promotion_id, position, source_registry_id, source_repository, digest, media_type)
        SELECT ${item}::uuid, ${id}::uuid, 0, id, ${repository}, ${digest}, 'application/json' FROM registry WHERE name = 'prod'`;
      await tables.$executeRaw`
        INSERT INTO item_target (id, promotion_id, item_id, registry_id, location, repository, requirement, state)
        SELECT ${target}::uuid, ${id}::uuid, ${item}::uuid, id, 'eu', ${repository}, 'required', 'pending' FROM registry WHERE name = 'prod'`;
      await tables.$executeRaw`
        INSERT INTO item_target_tag (item_target_id, tag, ticket, expected, expected_order) VALUES (${target}::uuid, '1.0.0', 1, 'absent', 1)`;
    });
    return new RecordedPromotion(id, database);
  }

  /** A change of the target that any reader can tell from others. */
  async change(location: string): Promise<void> {
    await this.database.tables.itemTarget.updateMany({ where: { promotionId: this.id }, data: { location } });
  }

  async begin(): Promise<void> {
    await this.database.tables.promotion.update({ where: { id: this.id }, data: { state: 'running' } });
    await this.database.tables.itemTarget.updateMany({ where: { promotionId: this.id }, data: { state: 'copying', attempts: 1 } });
  }

  /** As a worker does it: the tag, and then the ends of the target and of the promotion at once. */
  async finish(): Promise<void> {
    const ended = { finishedAt: new Date() };
    await this.database.tables.$executeRaw`
      UPDATE item_target_tag SET outcome = 'written'
      WHERE item_target_id IN (SELECT id FROM item_target WHERE promotion_id = ${this.id}::uuid)`;
    await this.database.transaction(async (tables) => {
      await tables.itemTarget.updateMany({ where: { promotionId: this.id }, data: { state: 'done', outcome: 'copied', ...ended } });
      await tables.promotion.update({ where: { id: this.id }, data: { state: 'succeeded', ...ended } });
    });
  }

  async runToItsEnd(): Promise<void> {
    await this.begin();
    await this.finish();
  }
}
