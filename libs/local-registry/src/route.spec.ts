import { describe, expect, it } from '@jest/globals';
import { routeOf } from './route.js';

const digest = `sha256:${'a'.repeat(64)}`;
const session = '123e4567-e89b-42d3-a456-426614174000';

describe('routeOf', () => {
  it.each([
    ['/v2/', { kind: 'base' }],
    ['/v2', { kind: 'base' }],
    ['/v2/_catalog', { kind: 'catalog' }],
    ['/v2/app/tags/list', { kind: 'tags', repository: 'app' }],
    ['/v2/a/b/manifests/1.0', { kind: 'manifest', repository: 'a/b', reference: '1.0' }],
    [`/v2/a/manifests/${digest}`, { kind: 'manifest', repository: 'a', reference: digest }],
    [`/v2/a/manifests/${digest.replace(':', '%3A')}`, { kind: 'manifest', repository: 'a', reference: digest }],
    [`/v2/a/blobs/${digest}`, { kind: 'blob', repository: 'a', digest }],
    ['/v2/a/blobs/uploads/', { kind: 'uploads', repository: 'a' }],
    ['/v2/a/blobs/uploads', { kind: 'uploads', repository: 'a' }],
    [`/v2/a/blobs/uploads/${session}`, { kind: 'upload', repository: 'a', session }],
    ['/v2/tags/list/tags/list', { kind: 'tags', repository: 'tags/list' }],
    [`/v2/a/manifests/manifests/manifests/x`, { kind: 'manifest', repository: 'a/manifests/manifests', reference: 'x' }],
  ])('reads %s', (path, route) => {
    expect(routeOf(path, 'GET')).toEqual(route);
  });

  it.each(['/', '/v1/', '/v2/app', '/v2//tags/list/x', '/v3/a/tags/list', '/v2/tags/list', '/v2/a/blobs/sha256:../../../etc/passwd', ''])(
    'knows no endpoint %s',
    (path) => {
      expect(routeOf(path, 'GET')).toBeUndefined();
    },
  );

  it.each([
    ['/v2/../../etc/manifests/passwd', 'NAME_INVALID'],
    ['/v2/a/../b/manifests/1.0', 'NAME_INVALID'],
    ['/v2/a%2F..%2Fb/tags/list', 'NAME_INVALID'],
    ['/v2/_blobs/tags/list', 'NAME_INVALID'],
    ['/v2/A/tags/list', 'NAME_INVALID'],
    [`/v2/${'a/'.repeat(200)}b/tags/list`, 'NAME_INVALID'],
    ['/v2/a/manifests/..', 'MANIFEST_UNKNOWN'],
    ['/v2/a/manifests/%2e%2e', 'MANIFEST_UNKNOWN'],
    ['/v2/a/manifests/..%2f..%2fetc', 'MANIFEST_UNKNOWN'],
    ['/v2/a/manifests/sha256:abc', 'DIGEST_INVALID'],
    ['/v2/a/blobs/..', 'DIGEST_INVALID'],
    [`/v2/a/blobs/sha256:${'A'.repeat(64)}`, 'DIGEST_INVALID'],
    ['/v2/a/blobs/uploads/..', 'BLOB_UPLOAD_UNKNOWN'],
    ['/v2/a/blobs/uploads/x', 'BLOB_UPLOAD_UNKNOWN'],
  ])('refuses %s with %s', (path, code) => {
    expect(() => routeOf(path, 'GET')).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['GET', 'MANIFEST_UNKNOWN'],
    ['HEAD', 'MANIFEST_UNKNOWN'],
    ['DELETE', 'MANIFEST_UNKNOWN'],
    ['PUT', 'MANIFEST_INVALID'],
  ])('answers %s of a reference that can be none with %s', (method, code) => {
    expect(() => routeOf('/v2/a/manifests/.none', method)).toThrow(expect.objectContaining({ code }));
  });
});
