/**
 * RDB files for programs, `import ... from 'holdfast/rdb'`: what is done with files alone, and what brings them into running stores and
 * Redis, and out of them.
 */
export * from './rdb/workbench/index.js';
export * from './remote/index.js';
