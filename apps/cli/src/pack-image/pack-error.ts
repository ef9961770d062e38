import { WaybillError } from '@waybill/kernel';

export type PackErrorCode =
  | 'platform-unsupported' // the image holds this machine's Node, and that runs in no Linux container
  | 'build-missing' // something that the build should have made is not there
  | 'dependency-missing' // the lock file names a package that is not installed
  | 'lock-unreadable' // package-lock.json is missing or of another version
  | 'runtime-unreadable'; // Node did not tell which libraries it needs

/** Raised while Waybill's own image is packed. */
export class PackError extends WaybillError<PackErrorCode> {
  constructor(code: PackErrorCode, message: string, cause?: unknown) {
    super(message, { code, operation: 'pack image', cause });
  }
}
