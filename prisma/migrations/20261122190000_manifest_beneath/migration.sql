-- What a manifest names itself, with its own row: the plan of a million manifests would need a read of several million edges.
ALTER TABLE manifest
  -- Digests of the manifests that an index lists.
  ADD COLUMN children bytea[] NOT NULL DEFAULT '{}',
  -- Of each blob the first eight bytes of its digest and its size as a bigint, in the order of digests: enough to tell which blobs of a
  -- repository are the same.
  ADD COLUMN blobs bytea NOT NULL DEFAULT '';

UPDATE manifest m SET children = coalesce(b.children, '{}'), blobs = coalesce(b.blobs, '')
FROM (
  SELECT e.parent, array_agg(c.digest ORDER BY c.digest) FILTER (WHERE s.is_child) AS children,
    string_agg(substr(c.digest, 1, 8) || int8send(c.size), '' ORDER BY c.digest) FILTER (WHERE NOT s.is_child) AS blobs
  FROM content_edge e JOIN content c ON c.digest = e.child JOIN manifest p ON p.digest = e.parent
    CROSS JOIN LATERAL (SELECT p.is_index AND c.media_type IN (
      'application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.index.v1+json',
      'application/vnd.docker.distribution.manifest.v2+json', 'application/vnd.docker.distribution.manifest.list.v2+json') AS is_child) s
  WHERE e.kind = 'child'
  GROUP BY e.parent
) AS b
WHERE b.parent = m.digest;
