import type { HardState, MemberId, Message, Term } from '../../../src/raft/types.js';
import { check } from './violation.js';

/** Election safety, over all lives of all peers. */
export class Elections {
  readonly #leaders = new Map<Term, MemberId>();
  readonly #votes = new Map<string, MemberId>();
  readonly #durableTerms = new Map<MemberId, Term>();
  elections = 0;

  /** One leader per term. */
  leads(id: MemberId, term: Term): void {
    const other = this.#leaders.get(term);
    check(
      other === undefined || other === id,
      'election safety',
      () => `${other} and ${id} lead term ${term}`,
    );
    if (other === undefined) this.elections++;
    this.#leaders.set(term, id);
  }

  /** A frame really leaves: it may say nothing in a term that is not on disk, and vote once per term. */
  sends(message: Message, durable: HardState): void {
    if (message.type === 'preVote' || (message.type === 'preVoteReply' && message.granted)) return;
    check(
      message.term <= durable.term,
      'durable term',
      () => `${message.from} sends ${message.type} in term ${message.term}, on disk is ${durable.term}`,
    );
    if (message.type === 'vote') this.#votesFor(message.from, message.term, message.from);
    if (message.type === 'voteReply' && message.granted)
      this.#votesFor(message.from, message.term, message.to);
  }

  #votesFor(voter: MemberId, term: Term, candidate: MemberId): void {
    const key = `${voter}/${term}`;
    const other = this.#votes.get(key);
    check(
      other === undefined || other === candidate,
      'one vote per term',
      () => `${voter} votes for ${other} and ${candidate} in term ${term}`,
    );
    this.#votes.set(key, candidate);
  }

  /** Terms on disk never fall, whatever crashes. */
  durable(id: MemberId, term: Term): void {
    const before = this.#durableTerms.get(id) ?? 0;
    check(term >= before, 'monotone term', () => `term of ${id} on disk falls from ${before} to ${term}`);
    this.#durableTerms.set(id, term);
  }
}
