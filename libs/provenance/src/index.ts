export { type ChainLink, type ChainVerdict, genesisHash, linkRecords, type ProvenanceRecord, verifyChain } from './chain.js';
