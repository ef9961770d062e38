-- Facts of a manifest of which some are missing: `annotations` that were too many or too long, `platforms` that nobody says.
-- Nothing follows from what is not among them.
ALTER TABLE manifest ADD COLUMN gaps jsonb NOT NULL DEFAULT '[]';

-- What was read before. Bytes that PostgreSQL takes for no JSON may lack anything.
CREATE FUNCTION pg_temp.gaps_of(m manifest) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  said jsonb := convert_from(m.raw, 'UTF8')::jsonb;
  gaps jsonb := '[]';
BEGIN
  IF (SELECT count(*) FROM jsonb_object_keys(coalesce(nullif(said -> 'annotations', 'null'), '{}')))
    > (SELECT count(*) FROM jsonb_object_keys(m.annotations)) THEN
    gaps := gaps || '"annotations"';
  END IF;
  IF m.is_index AND EXISTS (SELECT FROM jsonb_array_elements(said -> 'manifests') c WHERE coalesce(c -> 'platform' ->> 'os', '') = '')
    OR m.platforms = '[]' AND m.config_media_type IN ('application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json') THEN
    gaps := gaps || '"platforms"';
  END IF;
  RETURN gaps;
EXCEPTION WHEN OTHERS THEN
  RETURN '["annotations", "platforms"]';
END $$;
UPDATE manifest m SET gaps = pg_temp.gaps_of(m) WHERE pg_temp.gaps_of(m) <> '[]';
