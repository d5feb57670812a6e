/** The protocol's own rules are broken: a bug, or storage that lied. The host faults the store. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws unless `holds`. Cheap enough to stay on in production. */
export function invariant(holds: boolean, rule: string): asserts holds {
  if (!holds) throw new InvariantError(rule);
}
