/** What makes a worker of `worker.ts` end itself: a failpoint as `formatFailpoint` writes it. */
export const failpointVariable = 'WAYBILL_TEST_FAILPOINT';
/** A file to which a worker of `worker.ts` adds a line for each moment that it comes to. */
export const reachedFileVariable = 'WAYBILL_TEST_REACHED_FILE';
/** Steps that a worker of `worker.ts` leaves out, separated by commas: to see that what is missing is found. */
export const leftOutVariable = 'WAYBILL_TEST_LEFT_OUT';
