export {
  type ChainLink,
  type ChainVerdict,
  genesisHash,
  linkRecords,
  type ProvenanceRecord,
  type RecordOwner,
  verifyChain,
} from './chain.js';
