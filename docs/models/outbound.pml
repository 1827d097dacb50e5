/*
 * outbound.pml - the outbound send protocol of Tributary (docs/ARCHITECTURE.md, "Outbound"; P7, P12, P13)
 *
 * Run (Spin 6.5, gcc):
 *     spin -a outbound.pml && gcc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m20000 -E
 *     spin -t -p -g outbound.pml                     # the trace of an error;  ./pan -m20000 -E -i  looks for a shorter one
 * Every macro below can be set from outside: spin -a -DGENS=3 -DREFUSE=2 -DFENCE=0 outbound.pml
 * "errors: 0" = all properties hold within the bounds. With the rules at their defaults (1) it must say so;
 * with one rule set to 0 it shows what the rule is for (table at the end of this file).
 *
 * WHAT IS MODELLED
 *   log      a partition of `tributary.outbound`; LAYOUT 1: a0 b0 a1 (two messages of key a, one of key b), 2: a0 a1,
 *            3: a0 with two parts, then a1,  4: a0, a second copy of a0 (a produce that failed but was written), a1,
 *            5: a0 with two parts, then a second attempt of a0 (rows 2 and 3 are the parts 0 and 1 again)
 *   resend   LAYOUT 5: the inbox learns the results on `receipts` late, in any order, one by one; once it knows of a part that
 *            did not arrive, the second attempt may be asked for. Its record names the parts that are skipped.
 *   handle   HANDLES 1, LAYOUT 2: the conversation's document holds a reply handle that may be used once. Two agents post the two
 *            messages at the same time; a message takes the handle with it. The call with a handle may be refused as stale,
 *            documented; then the same try goes on with a call without. A row that waits and is called again has its handle still.
 *   same     SAME 1, with RETRY 1: the rows are actions without a key that have the same effect twice as once: edits, deletions.
 *   members  two; the group gives the partition to one (a generation). The other may run its old generation on (a zombie:
 *            evicted, not yet aware), with calls in flight. Any member may die at any step (crash, or it abandons its
 *            generation at the drain limit): its memory is gone, its requests stay on the wire.
 *   lane     per member and key: takes the records from the committed offset on, in order
 *   drainer  per member and key, beside the lane: takes the rows that wait
 *   store    send rows, one per (attempt, part): insert by derived id, compare-and-set on rev. A write may be done and yet
 *            return an error (AMBIG).
 *   wire     a request may be accepted and answered, accepted and the answer lost, refused (documented, may be repeated),
 *            refused for good, or never arrive; a dial failure happens before the first byte
 *   time     TIMED 1: nothing of a call leaves or arrives after the deadline written in its row.
 *            TIMED 0: no such luck: a process may freeze between looking at the clock and writing, a request may linger on the
 *            way, and a client may give up at any time. What must not rest on clocks is checked with 0.
 *   results  what is said on `tributary.receipts`: a set per row (saying twice is harmless). A compare-and-set with a fact
 *            (facts.pml) says it in the same step: the fact is in the row, and sweeper or next updater publish it.
 *
 * WHAT IS CHECKED
 *   A1 the provider accepts a part at most once; no call starts unless all earlier calls of the row provably failed
 *   A2 in the end every row has a result on receipts and every offset is committed (checked where nothing can move any more)
 *   A3 no call starts before every earlier row of its key has a result on receipts; and the provider never accepts a row after
 *      a later one of its key - with TIMED 0: unless the earlier one was reported unknown before
 *   A4 a waiting row is claimed by one owner only
 *   A5 sent is said only of what was accepted, failed and expired only of what was not and never will be
 *   A6 unknown is said of a row that nobody called only if the writer of its `calling` died, or lost the partition
 *   A8 the provider accepts a part of a message in two attempts only if the first one's outcome was unknown when the second
 *      was asked for
 *   A9 the provider accepts a reply handle at most once
 *   A10 a call that is made again without a key has no effect after that of a later row of its key
 */

/* ---- bounds ---- */
#ifndef LAYOUT
#define LAYOUT 1
#endif
#ifndef GENS            /* generations of the consumer group: rebalances + 1 */
#define GENS 2
#endif
#ifndef KILLS           /* deaths of members (owner or zombie) */
#define KILLS GENS
#endif
#ifndef NOTNOW          /* how often breaker, tokens or slots say no to a lane (the drainer may be late by itself) */
#define NOTNOW 1
#endif
#ifndef REFUSE          /* documented refusals that may be repeated */
#define REFUSE 1
#endif
#ifndef DIAL            /* dial failures */
#define DIAL 0
#endif
#ifndef PERM            /* refusals for good */
#define PERM 0
#endif
#ifndef EXPIRE          /* rows whose send_by passes while they wait */
#define EXPIRE 0
#endif
#ifndef AMBIG           /* store writes that are done but return an error */
#define AMBIG 0
#endif
#ifndef ABORT           /* handlers that are abandoned and run again while the process lives (panic, handler deadline) */
#define ABORT 0
#endif
#ifndef TIMED
#define TIMED 1
#endif
#ifndef RETRY           /* 1: the provider takes an idempotency key, an unknown call is made again (keep PERM, EXPIRE 0) */
#define RETRY 0
#endif
#ifndef SAME            /* 1, with RETRY: there is no key, but the second time has the effect of the first (an edit, a deletion); a client may
                           give up before the deadline of its call, and the request flies on until then */
#define SAME 0
#endif
#ifndef LOSSES          /* with RETRY: calls without an answer, per run */
#define LOSSES 2
#endif

#ifndef ORDER           /* check A3; 0 shows what else a missing rule breaks */
#define ORDER 1
#endif

/* ---- rules (1: kept) ---- */
#ifndef BUSY            /* a lane calls only if its key has no open row, waiting OR being called (0: only waiting counts) */
#define BUSY 1
#endif
#ifndef TAKEOVER        /* a new owner also takes over rows that waited and now are `calling` (0: only waiting ones) */
#define TAKEOVER 1
#endif
#ifndef SCANBELOW       /* ... of offsets below the mark where its generation begins; the others come by their records, in order */
#define SCANBELOW 1
#endif
#ifndef PAGED           /* the open rows are read one by one, while others go on */
#define PAGED 1
#endif
#ifndef OUTCOME         /* a row that ever waited gets its outcome written, with the result as a fact (0: only published) */
#define OUTCOME 1
#endif
#ifndef FACT            /* the outcome and its result are one write (0: the row is written, then the result is produced) */
#define FACT 1
#endif
#ifndef ADOPT           /* a record that comes again and finds its row waiting (or drained) puts it in the owner's table */
#define ADOPT 1
#endif
#ifndef DEADLINE        /* another's `calling` row is left alone until its deadline */
#define DEADLINE 1
#endif
#ifndef REVCHECK        /* ... and is made unknown only if it is still that very call (0: if it is `calling` at all) */
#define REVCHECK 1
#endif
#ifndef WRITEUNKNOWN    /* unknown is a compare-and-set of the row (0: only said) */
#define WRITEUNKNOWN 1
#endif
#ifndef FENCE           /* a row written by a higher generation: this member is fenced, it stops; NOT needed */
#define FENCE 0
#endif
#ifndef FORGET          /* BAD rule: a drainer that lost a compare-and-set goes on with the next row */
#define FORGET 0
#endif
#ifndef OWNWRITE        /* a handler knows its own write again (token) after the store returned an error */
#define OWNWRITE 1
#endif
#ifndef OWNDONE         /* BAD rule: a `calling` row of my own generation needs nothing */
#define OWNDONE 0
#endif
#ifndef COPYRULE        /* the row keeps its record's offset: a record at another offset is a copy, and done at once */
#define COPYRULE 1
#endif
#ifndef CASDRAIN        /* waiting -> calling is a compare-and-set (0: a blind write) */
#define CASDRAIN 1
#endif
#ifndef EXPIREWAITING   /* only a waiting row expires (0: a `calling` one too) */
#define EXPIREWAITING 1
#endif
#ifndef RESUME          /* a second attempt skips the parts that are known to have arrived (0: it sends every part again) */
#define RESUME 1
#endif
#ifndef WAITALL         /* it is asked for only when every part of the first one has a result (0: once one did not arrive) */
#define WAITALL 1
#endif
#ifndef TAKE            /* a handle is taken in the same compare-and-set as the send (0: looked at, and taken by a blind write) */
#define TAKE 1
#endif
#ifndef STALE           /* the call without follows only the documented answer that the handle is stale (0: also no answer) */
#define STALE 1
#endif
#ifndef LINGER          /* with SAME: a call is made again only when nothing of the one before can arrive, after its deadline (0: at once) */
#define LINGER 1
#endif
#ifndef DONE            /* with SAME: the outcome of a call is always written into its row (0: not, if it was made at once) */
#define DONE 1
#endif
#ifndef KEEP            /* with SAME: a row that another has taken on stays open for its caller, too, whatever the answer was (0: it forgets it) */
#define KEEP 1
#endif
#ifndef DRAINCOMMIT     /* a row is drained only after its offset was committed; NOT needed */
#define DRAINCOMMIT 0
#endif

/* ---- layouts: rows, their key, their record ---- */
#if LAYOUT == 1
#define NREC 3
#define NROW 3
#define NKEY 2
#define RKEY(r) (r == 1)
#define CKEY(i) (i == 1)
#define FIRST(i) (i)
#define LAST(i) (i)
#define ROFF(r) (r)
#define EARLIER(r,q) (r == 2 && q == 0)
#elif LAYOUT == 2
#define NREC 2
#define NROW 2
#define NKEY 1
#define RKEY(r) 0
#define CKEY(i) 0
#define FIRST(i) (i)
#define LAST(i) (i)
#define ROFF(r) (r)
#define EARLIER(r,q) (q < r)
#elif LAYOUT == 3
#define NREC 2
#define NROW 3
#define NKEY 1
#define RKEY(r) 0
#define CKEY(i) 0
#define FIRST(i) (i * 2)
#define LAST(i) (1 + i)
#define ROFF(r) (r == 2)
#define EARLIER(r,q) (q < r)
#define PARTS 1
#elif LAYOUT == 4
#define NREC 3
#define NROW 2
#define NKEY 1
#define RKEY(r) 0
#define CKEY(i) 0
#define FIRST(i) (i == 2)
#define LAST(i) (i == 2)
#define ROFF(r) (r * 2)
#define EARLIER(r,q) (q < r)
#elif LAYOUT == 5
#define NREC 2
#define NROW 4
#define NKEY 1
#define RKEY(r) 0
#define CKEY(i) 0
#define FIRST(i) (i * 2)
#define LAST(i) (i * 2 + 1)
#define ROFF(r) (r / 2)
#define EARLIER(r,q) (q < r)
#define PARTS 1
#define RESEND 1
#endif
#ifndef RESEND
#define RESEND 0
#endif
#ifndef PARTS
#define PARTS 0
#endif

/* row states */
#define NONE 0
#define WAITING 1
#define CALLING 2
#define SENT 3
#define FAILED 4
#define UNKNOWN 5
#define EXPIRED 6
/* said on receipts: bits */
#define R_SENT 1
#define R_FAILED 2
#define R_UNKNOWN 4
#define R_EXPIRED 8
/* a request of one member for one row */
#define IDLE 0
#define WIRE 1          /* on its way, its caller listens */
#define GONE 2          /* on its way, nobody listens any more */
#define ACC 3           /* answered: accepted */
#define REF 4           /* answered: documented refusal, may be repeated; also: nothing left this machine */
#define PRM 5           /* answered: refused for good */
#define LOST 6          /* no answer will come */

/* store */
byte st[NROW];          /* state */
bool waited[NROW];      /* it has been waiting: it is in the index of open rows, its outcome is written */
byte rgen[NROW];        /* generation that wrote it last */
byte rev[NROW];
/* world */
byte pub[NROW];         /* said on receipts */
bool acc[NROW];         /* accepted by the provider */
bool called[NROW];      /* a first byte has left, ever */
byte dlrev[NROW];       /* the deadline of the call written at this rev has passed */
byte net[NROW*2];       /* [m*NROW+r] */
#ifndef HANDLES
#define HANDLES 0
#endif
#define STL 7           /* answered: the handle is stale, nothing was sent */
#if HANDLES
bool handle = true;     /* the conversation has one */
byte version;           /* of the conversation's document */
byte posted;            /* records on the log */
bool taken[NROW];       /* the message has the handle */
bool by[NROW*2];        /* [m*NROW+r] the request has it */
bool used;              /* the provider accepted it */
#define WITH(r) by[m*NROW+r] = taken[r] && !push
#define GOESON(r) (by[m*NROW+r] && (res == STL || (!STALE && res == LOST)))
#else
#define WITH(r) skip
#define GOESON(r) false
#endif
#if RESEND
byte seen[2];           /* results of the first attempt that the inbox has seen, per part */
bool resent;            /* the second attempt was asked for */
bool skips[2];          /* ... and leaves this part out */
bool unsure[2];         /* ... whose outcome was unknown then */
#endif
/* group */
byte gen, committed;
byte mgen[2];           /* the generation a member believes in; 0: none */
/* memory of a member, lost when it dies */
byte done[2];           /* records done (bits) */
byte from[2];           /* committed offset where its generation began */
byte tab[NROW*2];          /* [m*NROW+r] the open rows it knows: 0 no, 1 waits, 2 it is calling */
bool ready[4];          /* [m*2+k] the open rows of the key are read, the drainer may begin */
bool abrt[4];           /* [m*2+k] abandon the lane's handler */

byte b_notnow = NOTNOW, b_refuse = REFUSE, b_dial = DIAL, b_perm = PERM, b_expire = EXPIRE, b_ambig = AMBIG,
	b_abort = ABORT, b_kill = KILLS, b_lost = LOSSES;

#define NET(r) net[m*NROW+r]
#define TAB(r) tab[m*NROW+r]
#define FLIES(x) (x == WIRE || x == GONE)
#define ONWIRE(r) (FLIES(net[r]) || FLIES(net[NROW+r]))
#define FINAL(r) (st[r] >= SENT)
#define DEAD (mgen[m] != g)
#if NROW == 4
#define ANYTAB(k) (TAB(0) || TAB(1) || TAB(2) || TAB(3))
#define ANYWAITS(k) (TAB(0)==1 || TAB(1)==1 || TAB(2)==1 || TAB(3)==1)
#define OLDEST(k) (TAB(0) -> 0 : (TAB(1) -> 1 : (TAB(2) -> 2 : 3)))
#define EARLIERSAID(r) ((r == 0 || pub[0]) && (r < 2 || pub[1]) && (r < 3 || skips[0] || pub[2]))
#define LATERACC(r) ((EARLIER(1,r) && acc[1]) || (EARLIER(2,r) && acc[2]) || (EARLIER(3,r) && acc[3]))
#define ALLSAID (pub[0] && pub[1] && (!resent || ((skips[0] || pub[2]) && (skips[1] || pub[3]))))
#elif NROW == 3
#define ANYTAB(k) ((RKEY(0)==k && TAB(0)) || (RKEY(1)==k && TAB(1)) || (RKEY(2)==k && TAB(2)))
#define ANYWAITS(k) ((RKEY(0)==k && TAB(0)==1) || (RKEY(1)==k && TAB(1)==1) || (RKEY(2)==k && TAB(2)==1))
#define OLDEST(k) ((RKEY(0)==k && TAB(0)) -> 0 : ((RKEY(1)==k && TAB(1)) -> 1 : 2))
#define EARLIERSAID(r) ((!EARLIER(r,0) || pub[0]) && (!EARLIER(r,1) || pub[1]))
#define LATERACC(r) ((EARLIER(1,r) && acc[1]) || (EARLIER(2,r) && acc[2]))
#define ALLSAID (pub[0] && pub[1] && pub[2])
#else
#define ANYTAB(k) (TAB(0) || TAB(1))
#define ANYWAITS(k) (TAB(0)==1 || TAB(1)==1)
#define OLDEST(k) (TAB(0) -> 0 : 1)
#define EARLIERSAID(r) (!EARLIER(r,0) || pub[0])
#define LATERACC(r) (EARLIER(1,r) && acc[1])
#define ALLSAID (pub[0] && pub[1])
#endif
#if BUSY
#define KEYBUSY(k) ANYTAB(k)
#else
#define KEYBUSY(k) ANYWAITS(k)
#endif
#if RESEND
#define THERE(r) (r < 2 || resent)
#define SKIPPED(r) (r >= 2 && skips[(r) & 1])
#define RECORDS (resent -> 2 : 1)
#define TWICE(r) (acc[(r) ^ 2] && !unsure[(r) & 1])
#elif HANDLES
#define THERE(r) (posted > r)
#define SKIPPED(r) false
#define RECORDS NREC
#define TWICE(r) false
#else
#define THERE(r) true
#define SKIPPED(r) false
#define RECORDS NREC
#define TWICE(r) false
#endif
#if RESEND
#define PARTFAILED(r) (((r) & 1) && st[(r) - 1] == FAILED)
#define HASLATER(r) (!((r) & 1))
#elif PARTS              /* a failed part ends its attempt */
#define PARTFAILED(r) (r == 1 && st[0] == FAILED)
#define HASLATER(r) (r == 0)
#else
#define PARTFAILED(r) (false)
#define HASLATER(r) (false)
#endif
#if DEADLINE && TIMED
#define QUIET(r) (!ONWIRE(r))
#else
#define QUIET(r) true
#endif
#if RETRY               /* two live members may take a row from each other for ever: bounded */
#define DLPASSED(r) (QUIET(r) && (b_lost > 0 || rgen[r] == mgen[m] || (mgen[0] != rgen[r] && mgen[1] != rgen[r])))
#else
#define DLPASSED(r) QUIET(r)
#endif
#define FENCED(r) (FENCE && rgen[r] > g)

inline say(r, what) {
	pub[r] = pub[r] | (what);
	assert(!(pub[r] & R_SENT) || acc[r]);                               /* A5 */
	assert(!(pub[r] & (R_FAILED|R_EXPIRED)) || !acc[r])                 /* A5 */
}
inline saystate(r) {
	if
	:: st[r] == SENT -> say(r, R_SENT)
	:: st[r] == FAILED -> say(r, R_FAILED)
	:: st[r] == EXPIRED -> say(r, R_EXPIRED)
	:: st[r] == UNKNOWN -> say(r, R_UNKNOWN)
	:: else
	fi
}
inline write(r, s) { st[r] = s; rgen[r] = g; rev[r]++ }

/* compare-and-set of a call nobody of this process makes, after its deadline */
inline give_up(r) {
	if :: DEADLINE -> dlrev[r] = rev[r] :: else fi;
	if
	:: !EXPIREWAITING && b_expire > 0 -> b_expire--; write(r, EXPIRED); say(r, R_EXPIRED)
	:: else ->
		assert(called[r] || rgen[r] != g || b_abort < ABORT);           /* A6 */
		assert(!pub[r] || gen > 1 || b_abort < ABORT);                  /* A7 */
#if RETRY
		if :: rgen[r] != g && (mgen[0] == rgen[r] || mgen[1] == rgen[r]) -> b_lost-- :: else fi;
		write(r, WAITING); waited[r] = true; TAB(r) = 1
#else
		if
		:: WRITEUNKNOWN -> write(r, UNKNOWN)
		:: else
		fi;
		say(r, R_UNKNOWN)
#endif
	fi
}
/* a call: the first byte leaves; or it does not: a dial failure, or the deadline has passed already */
inline first_byte(r) {
	if
	:: TIMED && dlrev[r] == v -> res = REF
	:: !(TIMED && dlrev[r] == v) && b_dial > 0 -> b_dial--; res = REF
	:: !(TIMED && dlrev[r] == v) ->
		assert(RETRY || (!acc[r] && !ONWIRE(r)));                                  /* A1, A4 */
		assert(!ORDER || EARLIERSAID(r));                               /* A3 */
		assert(!PARTFAILED(r));
		WITH(r); NET(r) = WIRE; called[r] = true; goto answer
	fi
}
inline answered(r) {
	if
	:: NET(r) > GONE -> res = NET(r); NET(r) = IDLE
	:: (!TIMED || SAME) && NET(r) == WIRE && b_lost > 0 ->                        /* the client gives up, the request flies on */
		res = LOST; NET(r) = GONE; b_lost = b_lost - RETRY
	fi
}


/* ---- pieces of the lane ---- */
inline nextrecord() {
	do
	:: i < NREC && CKEY(i) != k -> i++
	:: else -> break
	od;
	if
	:: i < NREC -> r = FIRST(i); goto again
	:: else -> i = 0; r = 0; goto idle
	fi
}
inline advance() {              /* the row needs nothing more of the lane */
	v = 0; res = 0; wrote = false; push = false;
	if
	:: r < LAST(i) -> r++; goto again
	:: else -> done[m] = done[m] | (1 << i); i++; nextrecord()
	fi
}
inline settle_lane(r) {
	if
#if SAME
	:: res == ACC && rev[r] == v && DONE -> write(r, SENT); say(r, R_SENT)
	:: res == ACC && rev[r] == v && !DONE -> say(r, R_SENT)
	:: res == ACC && rev[r] != v -> say(r, R_SENT); if :: KEEP && !FINAL(r) -> TAB(r) = 1 :: else fi
#else
	:: res == ACC -> say(r, R_SENT)
#endif
#if RETRY
	:: (res == LOST || res == REF) && rev[r] == v -> write(r, WAITING); waited[r] = true; TAB(r) = 1
	:: (res == LOST || res == REF) && rev[r] != v -> v = 0; res = 0; wrote = false; goto again
#else
	:: res == LOST -> say(r, R_UNKNOWN)
	:: res == PRM -> if :: HASLATER(r) && rev[r] == v -> write(r, FAILED) :: else fi; say(r, R_FAILED)
	:: res == REF && rev[r] == v -> write(r, WAITING); waited[r] = true; TAB(r) = 1
	:: res == REF && rev[r] != v -> say(r, R_FAILED)    /* somebody made it unknown: the late word is that it was not sent */
#endif
	fi;
	advance()
}
/* ---- pieces of the drainer ---- */
inline leave() { r = 0; v = 0; res = 0; push = false; goto idle }
#if FACT
#define settled_(r) saystate(r); TAB(r) = 0; leave()
#else
#define settled_(r) goto settled
#endif
inline claim(r) {
	assert(st[r] == WAITING);                                       /* A4 */
	if
	:: PARTFAILED(r) -> write(r, FAILED); settled_(r)
	:: !PARTFAILED(r) && EXPIREWAITING && b_expire > 0 -> b_expire--; write(r, EXPIRED); settled_(r)
	:: !PARTFAILED(r) -> write(r, CALLING); v = rev[r]; TAB(r) = 2;
		if :: goto call :: !OWNWRITE && b_ambig > 0 -> b_ambig--; leave() fi
	fi
}
inline settle_drain(r) {
	if
	:: rev[r] == v && res == REF -> write(r, WAITING); TAB(r) = 1; leave()
	:: rev[r] == v && res == ACC && OUTCOME -> write(r, SENT); settled_(r)
	:: rev[r] == v && res == PRM && OUTCOME -> write(r, FAILED); settled_(r)
#if RETRY
	:: rev[r] == v && res == LOST -> write(r, WAITING); TAB(r) = 1; leave()
	:: rev[r] != v && res != ACC -> leave()
#else
	:: rev[r] == v && res == LOST && OUTCOME -> write(r, UNKNOWN); settled_(r)
#endif
	:: else ->                  /* another owner made it unknown (or no outcome in the row): only said */
		if
		:: res == ACC -> say(r, R_SENT)
		:: res == PRM || res == REF -> say(r, R_FAILED)
		:: res == LOST -> say(r, R_UNKNOWN)
		fi;
		if :: SAME && KEEP && !FINAL(r) -> TAB(r) = 1 :: else -> TAB(r) = 0 fi;
		leave()
	fi
}

proctype Lane(byte m; byte k) {
	byte g, i, r, v, res; bool wrote, push;
idle:
	atomic {                    /* a generation begins: read the open rows, then the first record */
		mgen[m] > g -> g = mgen[m]; i = from[m];
#if PAGED
		goto scan
	};
scan:
	atomic {
		if :: DEAD -> i = 0; r = 0; goto idle :: else fi;
#endif
		do
		:: r < NROW ->
			if
			:: RKEY(r) == k && (!SCANBELOW || ROFF(r) < from[m]) && (st[r] == WAITING || (TAKEOVER && st[r] == CALLING && waited[r])) -> TAB(r) = 1
			:: else
			fi;
			r++;
#if PAGED
			if :: r < NROW -> goto scan :: else fi      /* page by page */
#endif
		:: else -> break
		od;
		ready[m*2+k] = true;
		nextrecord()
	};
	{
		skip;
again:	/* insert; if the row exists, look at it */
		atomic {
			THERE(r) ->
			if
			:: SKIPPED(r) -> advance()
			:: st[r] == NONE && !SKIPPED(r) && PARTFAILED(r) -> write(r, FAILED); say(r, R_FAILED); advance()
			:: st[r] == NONE && !SKIPPED(r) && !PARTFAILED(r) && !KEYBUSY(k) ->
				write(r, CALLING); v = rev[r]; wrote = true;
				if :: goto call :: b_ambig > 0 -> b_ambig--; goto again fi
			:: st[r] == NONE && !SKIPPED(r) && !PARTFAILED(r) && (KEYBUSY(k) || b_notnow > 0) ->
				if :: KEYBUSY(k) :: else -> b_notnow-- fi;
				write(r, WAITING); waited[r] = true; TAB(r) = 1; advance()
			:: FENCED(r) -> i = 0; r = 0; v = 0; wrote = false; goto idle
			:: !FENCED(r) && FINAL(r) -> if :: FACT :: else -> saystate(r) fi; advance()
			:: !FENCED(r) && (st[r] == WAITING || (st[r] == CALLING && waited[r])) ->
				if :: ADOPT && !TAB(r) -> TAB(r) = 1 :: else fi; advance()
			:: !FENCED(r) && st[r] == CALLING && !waited[r] && COPYRULE && ROFF(r) != i -> advance()
			:: !FENCED(r) && st[r] == CALLING && !waited[r] && !(COPYRULE && ROFF(r) != i) && OWNWRITE && wrote && v == rev[r] -> goto call
			:: !FENCED(r) && st[r] == CALLING && !waited[r] && OWNDONE && rgen[r] == g -> advance()
			:: !FENCED(r) && st[r] == CALLING && !waited[r] && !(COPYRULE && ROFF(r) != i) && !(OWNWRITE && wrote && v == rev[r]) && !(OWNDONE && rgen[r] == g) && DLPASSED(r) ->
#if REVCHECK
				give_up(r); advance()
#else
				dlrev[r] = rev[r]; goto late
#endif
			fi
		};
#if !REVCHECK
late:	atomic { if :: st[r] == CALLING -> give_up(r); advance() :: else -> goto again fi };
#endif
call:
		atomic { first_byte(r); settle_lane(r) };
answer:
		atomic { answered(r); if :: GOESON(r) -> push = true; res = 0; goto call :: else -> settle_lane(r) fi }
	} unless {
		atomic {
			if
			:: DEAD -> i = 0; r = 0; v = 0; res = 0; wrote = false; push = false; goto idle
			:: !DEAD && abrt[m*2+k] -> abrt[m*2+k] = false; v = 0; res = 0; wrote = false; push = false; r = FIRST(i);
				if :: FLIES(NET(r)) -> NET(r) = GONE :: else -> NET(r) = IDLE fi;
				goto again
			fi
		}
	}
}

proctype Drain(byte m; byte k) {
	byte g, r, v, res; bool push;
idle:	/* the oldest open row of the key */
	atomic {
		mgen[m] != 0 && ready[m*2+k] && ANYTAB(k) &&
		((st[OLDEST(k)] == WAITING && !(SAME && LINGER && ONWIRE(OLDEST(k))) && (!DRAINCOMMIT || committed > ROFF(OLDEST(k)))) || FINAL(OLDEST(k)) ||
		 (st[OLDEST(k)] == CALLING && (DLPASSED(OLDEST(k)) || (FENCE && rgen[OLDEST(k)] > mgen[m])))) ->
		g = mgen[m]; r = OLDEST(k);
		if
		:: FENCED(r) -> ready[m*2+k] = false; r = 0; goto idle
		:: !FENCED(r) && FINAL(r) -> TAB(r) = 0; r = 0; goto idle
		:: !FENCED(r) && st[r] == CALLING ->
#if REVCHECK
			give_up(r); r = 0; goto idle
#else
			dlrev[r] = rev[r]; goto late
#endif
		:: !FENCED(r) && st[r] == WAITING ->
#if !CASDRAIN || FORGET
			v = rev[r]; goto gap
#else
			claim(r)
#endif
		fi
	};
	{
		skip;
#if !REVCHECK
late:	atomic { if :: st[r] == CALLING -> give_up(r) :: else fi; r = 0; goto idle };
#endif
#if !CASDRAIN || FORGET
gap:	atomic { if :: CASDRAIN && rev[r] != v -> TAB(r) = 0; r = 0; v = 0; goto idle :: else -> claim(r) fi };
#endif
call:
		atomic { first_byte(r); settle_drain(r) };
answer:
		atomic { answered(r); if :: GOESON(r) -> push = true; res = 0; goto call :: else -> settle_drain(r) fi }
#if !FACT
		; settled:                        /* the row is final already, now the result is produced */
		atomic { saystate(r); TAB(r) = 0; leave() }
#endif
	} unless {
		atomic { DEAD -> r = 0; v = 0; res = 0; push = false; goto idle }
	}
}

/* ---- the provider ---- */
inline serve(x, r) {
	atomic { FLIES(net[x]) ->
		if
		:: true ->                                                      /* accepts; the answer arrives or is lost */
			if
			:: acc[r] -> assert(RETRY);                                 /* A1; with a key: the answer of the first time */
				assert(!SAME || !LATERACC(r))                           /* A10 */
			:: else ->
				acc[r] = true;
				assert(!TWICE(r));                                      /* A8 */
#if HANDLES
				if :: by[x] -> assert(!used); used = true :: else fi;   /* A9 */
#endif
				assert(!(pub[r] & (R_FAILED|R_EXPIRED)));               /* A5 */
				assert(!ORDER || !LATERACC(r) || (!TIMED && (pub[r] & R_UNKNOWN)))  /* A3 */
			fi;
			if
			:: net[x] == WIRE -> net[x] = ACC
			:: net[x] == WIRE && b_lost > 0 -> b_lost = b_lost - RETRY; net[x] = LOST
			:: net[x] == GONE -> net[x] = IDLE
			fi
		:: net[x] == WIRE && b_refuse > 0 && !acc[r] -> b_refuse--; net[x] = REF
#if HANDLES
		:: net[x] == WIRE && by[x] && !acc[r] -> net[x] = STL
#endif
		:: net[x] == WIRE && b_perm > 0 && !acc[r] -> b_perm--; net[x] = PRM
		:: net[x] == WIRE && b_lost > 0 -> b_lost = b_lost - RETRY; net[x] = LOST
		:: net[x] == GONE -> net[x] = IDLE
		fi
	}
}
active proctype Provider() {
	do
	:: serve(0, 0) :: serve(1, 1)
	:: serve(NROW, 0) :: serve(NROW+1, 1)
#if NROW >= 3
	:: serve(2, 2) :: serve(NROW+2, 2)
#endif
#if NROW == 4
	:: serve(3, 3) :: serve(NROW+3, 3)
#endif
	od
}

#if HANDLES
/* ---- the inbox: each agent posts a message ---- */
active [2] proctype Agent() {
	byte v; bool h;
look:	atomic { v = version; h = handle };
	atomic {
		if
		:: TAKE && version != v -> v = 0; h = false; goto look
		:: else -> taken[posted] = h; handle = handle && !h; version++; posted++; v = 0; h = false
		fi
	}
}
#endif
#if RESEND
/* ---- the inbox ---- */
#define ARRIVED(p) (seen[p] & R_SENT)
#define MISSING(p) (seen[p] && !ARRIVED(p))
inline learn(p, what) { atomic { (pub[p] & what) && !(seen[p] & what) -> seen[p] = seen[p] | what } }
active proctype Inbox() {
	do
	:: learn(0, R_SENT) :: learn(0, R_FAILED) :: learn(0, R_UNKNOWN) :: learn(0, R_EXPIRED)
	:: learn(1, R_SENT) :: learn(1, R_FAILED) :: learn(1, R_UNKNOWN) :: learn(1, R_EXPIRED)
	:: atomic { !resent && (MISSING(0) || MISSING(1)) && (!WAITALL || (seen[0] && seen[1])) ->
		resent = true;
		skips[0] = RESUME && ARRIVED(0); skips[1] = RESUME && ARRIVED(1);
		unsure[0] = !ARRIVED(0) && (seen[0] & R_UNKNOWN); unsure[1] = !ARRIVED(1) && (seen[1] & R_UNKNOWN) }
	od
}
#endif

/* the owner commits its contiguous mark now and then; a stale generation is refused by the broker.
   Only where a generation ends does it matter how far it came, so that is where it is decided. */
inline commit() {
	do
	:: gen > 0 && mgen[0] == gen && ((done[0] >> committed) & 1) -> committed++
	:: gen > 0 && mgen[1] == gen && ((done[1] >> committed) & 1) -> committed++
	:: break
	od
}
inline begin(m) {       /* the member gets the partition; the other may still run its old generation */
	atomic { gen < GENS && mgen[m] == 0 && (m == 0 || gen > 0) -> commit(); gen++; mgen[m] = gen; from[m] = committed }
}
inline hush(x) { if :: FLIES(net[x]) -> net[x] = GONE :: else -> net[x] = IDLE fi }
inline die(m) {         /* crash, or end of an old generation with things abandoned */
	atomic { b_kill > 0 && mgen[m] != 0 && (mgen[m] != gen || gen < GENS) ->
		commit();
		b_kill--; mgen[m] = 0; done[m] = 0; from[m] = 0;
		tab[m*NROW] = 0; tab[m*NROW+1] = 0; hush(m*NROW); hush(m*NROW+1);
#if NROW >= 3
		tab[m*NROW+2] = 0; hush(m*NROW+2);
#endif
#if NROW == 4
		tab[m*NROW+3] = 0; hush(m*NROW+3);
#endif
		ready[m*2] = false; ready[m*2+1] = false; abrt[m*2] = false; abrt[m*2+1] = false }
}
inline abandon(m, k) {  /* the runtime gives a handler up and runs it again */
	atomic { b_abort > 0 && mgen[m] != 0 && ready[m*2+k] && !abrt[m*2+k] -> b_abort--; abrt[m*2+k] = true }
}
active proctype Group() {
	do
	:: begin(0) :: begin(1)
	:: die(0) :: die(1)
	:: abandon(0, 0) :: abandon(1, 0)
#if DRAINCOMMIT
	:: atomic { gen > 0 && mgen[0] == gen && ((done[0] >> committed) & 1) -> committed++ }
	:: atomic { gen > 0 && mgen[1] == gen && ((done[1] >> committed) & 1) -> committed++ }
#endif
	od
}

init {
	atomic {
		run Lane(0, 0); run Drain(0, 0); run Lane(1, 0); run Drain(1, 0);
#if NKEY == 2
		run Lane(0, 1); run Drain(0, 1); run Lane(1, 1); run Drain(1, 1);
#endif
	}
	atomic {
		timeout;
		assert(ALLSAID);                                                    /* A2 */
		do
		:: gen > 0 && mgen[0] == gen && ((done[0] >> committed) & 1) -> committed++
		:: gen > 0 && mgen[1] == gen && ((done[1] >> committed) & 1) -> committed++
		:: else -> break
		od;
		assert(committed == RECORDS)                                         /* A2 */
	}
}
