import { SetMetadata } from '@nestjs/common';

export const bodyTypesKey = 'waybill:body-types';

/** Media types that a route takes its body as, all of them JSON, in place of application/json alone. */
export const TakesBody = (...types: readonly string[]) => SetMetadata(bodyTypesKey, types);
