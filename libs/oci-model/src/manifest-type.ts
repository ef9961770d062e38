import { isIndexMediaType, isManifestMediaType, isSchema1MediaType, mediaType } from './media-types.js';
import { invalidManifest, schema1Refused } from './refused-manifest.js';

/** What tells the kinds of manifest apart; everything else in the document is left to its schema. */
interface Document {
  readonly schemaVersion?: unknown;
  readonly mediaType?: unknown;
  readonly manifests?: unknown;
  readonly config?: unknown;
  readonly layers?: unknown;
  readonly fsLayers?: unknown;
}

/**
 * The one media type that a manifest's content can have.
 *
 * A digest says nothing about the type, so a document that two readers may take for different
 * things is refused (CVE-2021-41190): what is declared and what the document says of itself must
 * be the same (distribution-spec v1.1.1, "Pulling manifests"), and it must not look like another kind.
 * A declaration that names no manifest type, such as `application/json`, says nothing.
 *
 * @throws ContentError `manifest-invalid`
 */
export function manifestTypeOf(json: unknown, declared: string | undefined): string {
  const document = asDocument(json);
  const said = bare(declared);
  refuseSchema1(document, said);
  const type = agreedType(document, said) ?? typeByShape(document);
  if (type === undefined) throw invalidManifest(`content of type "${said ?? 'unknown'}" is no manifest`);
  refuseOtherShape(document, type);
  return type;
}

function asDocument(json: unknown): Document {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalidManifest('manifest is no JSON object');
  return json;
}

/** Media types are compared without their parameters and case (RFC 9110, section 8.3.1). */
function bare(type: string | undefined): string | undefined {
  return type?.split(';')[0]?.trim().toLowerCase();
}

function refuseSchema1(document: Document, said: string | undefined): void {
  const types = [said, document.mediaType].filter((type) => typeof type === 'string');
  // Registries serve unsigned ones as application/json.
  if (types.some(isSchema1MediaType) || document.schemaVersion === 1 || isThere(document.fsLayers)) throw schema1Refused();
}

function agreedType({ mediaType: written }: Document, said: string | undefined): string | undefined {
  const declared = said !== undefined && isManifestMediaType(said) ? said : undefined;
  if (!isThere(written)) return declared;
  if (typeof written !== 'string' || !isManifestMediaType(written)) {
    throw invalidManifest('the mediaType in the content is not that of a manifest');
  }
  if (declared !== undefined && declared !== written) {
    throw invalidManifest(`manifest is declared as ${declared} and says it is ${written}`);
  }
  return written;
}

/** Early OCI content names its type nowhere. */
function typeByShape(document: Document): string | undefined {
  if (document.schemaVersion !== 2) return undefined;
  return Array.isArray(document.manifests) ? mediaType.ociIndex : mediaType.ociManifest;
}

function refuseOtherShape(document: Document, type: string): void {
  const foreign = isIndexMediaType(type) ? (['config', 'layers'] as const) : (['manifests'] as const);
  const found = foreign.find((key) => isThere(document[key]));
  if (found !== undefined) throw invalidManifest(`manifest of type ${type} must not have "${found}"`);
}

/** Go programs write an absent list as null. */
function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}
