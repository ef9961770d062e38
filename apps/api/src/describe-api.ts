import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { eventData, Problem, schemaExamples } from '@waybill/contracts/http';
import { z } from 'zod';

/** OpenAPI 3.0, from the schemas that validate. */
export function describeApi(app: INestApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Waybill')
    .setDescription('Runs a company’s container registries as one system.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'an API key' })
    .addSecurity('registry', {
      type: 'http',
      scheme: 'bearer',
      description: 'what the topology names as the secret of the registry’s notifications',
    })
    .build();
  const document = SwaggerModule.createDocument(app, builder, {
    operationIdFactory: (controller, method) => `${method}${controller.replace(/Controller$/, '')}`,
    standardSchemaConverter: (schema, { schemaType }) => (schema instanceof z.ZodType ? toOpenApi(schema, schemaType) : undefined),
  });
  // Nest does not see them: a problem is every route's, and the data of events is in no answer's schema.
  const unseen = Object.fromEntries(
    [Problem, ...Object.values(eventData)].flatMap((schema) => Object.entries(asComponents(toOpenApi(schema, 'output').components))),
  );
  return {
    ...document,
    components: { ...document.components, schemas: withExamples({ ...document.components?.schemas, ...unseen }) },
  };
}

/** The validating schemas hold none: they would be in the way of reading them. */
function withExamples<Schema extends object>(components: Readonly<Record<string, Schema>>): Record<string, Schema> {
  const examples = schemaExamples.flatMap(({ schema, value }) => {
    const id = z.globalRegistry.get(schema)?.id;
    const component = id === undefined ? undefined : components[id];
    return id === undefined || component === undefined ? [] : [[id, { ...component, example: value }] as const];
  });
  return { ...components, ...Object.fromEntries(examples) };
}

/** Nest does this to the schemas that it sees: what a schema defines for itself, a document keeps with its components. */
function asComponents(definitions: Readonly<Record<string, object>>): Record<string, object> {
  return JSON.parse(JSON.stringify(definitions).replaceAll('"#/definitions/', '"#/components/schemas/')) as Record<string, object>;
}

interface JsonSchema {
  readonly definitions?: Readonly<Record<string, object>>;
}

/** Schemas with an id become components, which others refer to. */
function toOpenApi(schema: z.ZodType, io: 'input' | 'output') {
  const { definitions = {}, ...root } = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io,
    override: ({ zodSchema, jsonSchema }) => {
      // Zod leaves the default of what it reads from a text out.
      if (zodSchema instanceof z.ZodDefault) jsonSchema.default = zodSchema.def.defaultValue;
      // The format says it already, and nobody can read the pattern.
      if (jsonSchema.format === 'date-time' || jsonSchema.format === 'uuid') delete jsonSchema.pattern;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  }) as JsonSchema;
  return { schema: root, components: { ...definitions } };
}
