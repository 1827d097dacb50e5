/*
 * Routing decision: inbox owns the conversation, routing owns capacity.          (Promela, Spin 6.5.2)
 *
 * What is modelled
 *
 *   inbox      one document per conversation: status, holder, holder_epoch. Every change of them moves the epoch and
 *              publishes a fact, in order per conversation. Applies a decision only if the epoch is unchanged, else
 *              publishes assignment.refused.
 *   people     take, transfer, close, reopen, put back into the queue, through inbox, at any time, never refused.
 *   agents     come online and go offline (presence is a document of its own; the change is a record for the decider).
 *   topics     conversations -> copier -> tributary.routing is one queue of facts per conversation: in order, as late
 *              as you like. LB=1: one record turns up a second time, at any later moment, behind newer ones (a copier
 *              that lost its partition, a produce that failed and was written all the same).
 *              assignments is a set of decisions under way, delivered in any order; DB of them are met once more, at
 *              any later moment (redelivery, "unanswered holds are published again after 10 s", a sweeper).
 *              That a fact is published some time after the commit, by whoever finishes `pending`, is the same thing
 *              as a late record here; a crash between commit and publishing is the same thing too.
 *   decider    two of them, D0 and D1. D1 takes the partition over at any moment (HAND=1); D0 dies at any step, or
 *              goes on without knowing: it ends the record and the decisions it has in its hands and takes ZK more
 *              records, but cannot commit an offset any more. D1 may crash at any step and start anew (CB).
 *              A decider works in the steps of the rules below; each step reads or writes one document.
 *
 * The rules that pass (each has a switch that breaks it; R-numbers are used in the comments)
 *
 *   R1  holder_epoch moves with every change of status, holder or queue.              broken by -DNAIVE_EPOCHMOVE
 *   R2  The copier passes on every such change with its epoch and the holder, and every refusal; never a bare "left".
 *                                                                                     broken by -DNAIVE_LEFT, -DNAIVE_TAKE
 *   R3  A hold is {conversation, epoch, offered or held}. A decision makes it offered; the fact that A holds c at epoch
 *       e makes it held, whether a decision or a person did it, and whatever the limit says. A newer fact that names
 *       another holder, or none, frees it. A refusal frees only the hold that is still offered at the refused epoch.
 *                                                                                     broken by -DNAIVE_FREE
 *   R4  A decision that comes again after it was applied is not refused.              -DNAIVE_DUP: harmless as long as R3 holds
 *   R5  Routing keeps a document per conversation {epoch, waiting | held by A | out}, forwards only, also after the
 *       conversation was closed.                                broken by -DNAIVE_EPOCH, -DNAIVE_TOMB, -DNAIVE_WAITDOC
 *   R6  Order of work for one record: the agents' documents, then the conversation's, then the offset.
 *                                                                                     broken by -DNAIVE_ORDER
 *   R7  "Is it news?" is asked of the conversation's document inside the Update of the agent's document, that is after
 *       the read and before the compare-and-set, on every try.                        broken by -DNAIVE_NEWS
 *   R8  After every record, news or not, memory takes over what the conversation's document says.
 *                                                                                     broken by -DNAIVE_SKIP
 *   R9  Memory may propose an agent; "nobody has room" is believed only from the store.
 *                                                                                     broken by -DNAIVE_ROOM
 *       With -DBELIEVE memory is believed instead, because a record concerns also the agents that memory names, and because an
 *       agent's document is read again if the record is no news. broken by -DNAIVE_ALONE, -DNAIVE_ONCE
 *   R10 Which agents hold a conversation is asked of the store (index), not of memory. -DNAIVE_LOCATE asks memory alone
 *   R11 The memory is built after the generation has its offsets, from the waiting documents and the agents' documents
 *       (a hold hides a waiting conversation only if its epoch is not older), and a look for work follows at once,
 *       without waiting for a record.                           broken by -DNAIVE_REBUILD, -DNAIVE_LAZY, -DNAIVE_HIDE
 *   R12 An agent that comes online, goes offline or gets another limit is a record on tributary.routing.
 *                                                                                     broken by -DNAIVE_WAKE
 *   R13 The offset of a record is committed once it is in the documents. Holding it back until the conversation is
 *       decided (-DNAIVE_OFFSET, at most INFL records in flight) stops the tenant.
 *
 * What is checked
 *
 *   at every decision   P9: the agent's conversations that routing gave it, that are under way to it, or that people took
 *                       and routing was told of, are fewer than the limit (assertion in `promise`)
 *   at every applying   no person has touched the conversation since the fact the decision rests on (assertion, -DGHOST)
 *   when all is quiet   (nothing can move any more; every budget used or given up) no hold without its holder: nothing
 *                       leaked; no holder without its hold: the set reflects manual takes; nobody waits while an agent
 *                       online has room; routing's documents say what inbox says; REQUEUE: nothing is left with an
 *                       agent who is offline
 *   no cycle            the model has no infinite run (compile with -DNP, run with -l: no progress labels exist, so any
 *                       cycle is reported). Together with the line above that is liveness, even without fairness.
 *   Two assignees of one conversation cannot be written down: the holder is one field of one document, and only inbox
 *   writes it. What could happen is a decision that overwrites; that is the GHOST assertion.
 *
 * How to run
 *
 *   spin -DHAND=1 -DPB=2 -DZK=0 -a routing.pml
 *   gcc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=4000 -DVECTORSZ=2048 -o pan pan.c && ./pan -m200000
 *   cycles:   gcc -O2 -DNP -DCOLLAPSE -DMEMLIM=4000 -DVECTORSZ=2048 -o pan pan.c && ./pan -l -m200000
 *   a short trail: add -DREACH to gcc, run ./pan -i -m700, then  spin <the same -D> -t routing.pml  prints it in words
 *
 *   Bounds (-D): NC conversations 2|3, LIM capacity 1|2, two agents, PB acts of people, NB changes of presence,
 *   DB repeated decisions, LB late record 0|1, HAND handover 0|1, ZK records the old decider still takes, CB crashes of
 *   the new one, ON=0 both agents offline at the start, REQUEUE=1, TAKES=0.
 *
 * Two reductions, both switched off by -DFULL
 *   symmetry   conversations are alike and so are agents: they are numbered in the order in which routing meets them.
 *   patience   inbox, people and presence wait while every running decider is inside a record, because none of their
 *              steps reads or writes anything that such a step does (they only append to queues).
 */

#ifndef NC
#define NC 2
#endif
#define NA 2
#ifndef LIM
#define LIM 1
#endif
#ifndef PB
#define PB 1
#endif
#ifndef NB
#define NB 0
#endif
#ifndef DB
#define DB 0
#endif
#ifndef LB
#define LB 0
#endif
#ifndef RB
#define RB 0
#endif
#ifndef HAND
#define HAND 0
#endif
#ifndef ZK
#define ZK 255          /* 255: no bound */
#endif
#ifndef CB
#define CB 0
#endif
#ifndef ON
#define ON 1
#endif
#ifndef REQUEUE
#define REQUEUE 0
#endif
#ifndef TAKES
#define TAKES 1
#endif
#ifndef INFL
#define INFL 2
#endif
#ifndef QL
#define QL 8            /* room in a queue of facts; an assertion says when it is too small */
#endif

/* ---- a fact is one byte: state, epoch -------------------------------------------------------------------------------- */
#define WAIT   1
#define HELD   2        /* HELD+a: agent a holds it */
#define CLOSED 4
#define REF    5        /* REF+a: the decision for agent a, made at this epoch, was refused */
#define NONE   2
#define FACT(s,e) (((s)<<5)|(e))
#define FS(f)     ((f)>>5)
#define FE(f)     ((f)&31)
#define MAXE      14            /* epochs */
#ifdef NAIVE_LEFT       /* "left" without a holder */
#define FN(f)     ((FS(f)>=REF) -> (FS(f)-REF) : NONE)
#else
#define FN(f)     ((FS(f)>=REF) -> (FS(f)-REF) : ((FS(f)==HELD || FS(f)==HELD+1) -> (FS(f)-HELD) : NONE))
#endif

/* ---- a hold is one byte: epoch, kind --------------------------------------------------------------------------------- */
#define OFFERED   1     /* decided, not answered */
#define TAKEN     2     /* inbox said so */
#define RECALLED  3     /* asked back because the agent went offline */
#define HV(e,k)   (((e)<<2)|(k))
#define HE(h)     ((h)>>2)
#define HK(h)     ((h)&3)
#define H(a,c)    hold[(a)*NC+(c)]
#define Q(d,c)    q[(d)*NC+(c)]
#define BIT(m,i)  (((m)>>(i))&1)

/* inbox's documents */
byte ep[NC], st[NC];
bit  routed[NC];                        /* the present holder came by a decision (the one made at ep-1) */

/* routing's documents */
byte rep[NC], rst[NC];                  /* R5: one per conversation */
byte hold[NA*NC];                       /* in the agent's document */
bit  online[NA];                        /* presence */

/* under way */
short asg[NA*NC];                        /* assignments: bit e = the decision (c, e, a); its id is derived from the three */
#if REQUEUE
short una[NC];                           /* assignments: bit e = take c, held since epoch e, back into the queue */
#endif
chan q[(1+HAND)*NC] = [QL] of { byte }; /* tributary.routing from the place where D0, D1 will read on */
bit  ach[(1+HAND)*NA];                  /* tributary.routing: "agent a changed"; it carries nothing, the reader looks */
#if LB > 0
byte latef, latec;                      /* the copy that turns up late */
#endif

/* the deciders */
bit  alive0 = 1;                        /* D0 */
bit  running[2], inside[2];             /* inside: between taking a record and committing it */
bit  own;                               /* whose generation it is: commits of the other fail */
byte mw[2*NC];                          /* memory: epoch since which c waits and is to be decided; 0: not waiting */
byte mh[2*NA];                          /* memory: conversations in a's document, as last read (bits) */
bit  known[2*NA];                       /* memory: a is online */
bit  stale[2*NA];                       /* a's document was written by another after d read it: rev has moved */

byte pb = PB, nb = NB, db = DB, lb = LB, cb = CB, zk = ZK, rb = RB;
byte nseen; bit aseen;                  /* symmetry */
hidden byte gi, gn, ge;                 /* scratch, inside one step only */

#ifdef GHOST
byte acts[NC];                          /* acts of people so far */
byte wact[NC*16];                       /* and their number when c began to wait at epoch e */
#endif

#ifdef FULL
#define PATIENT 1
#define CSYM(c) 1
#define ASYM(a) 1
#else
#define PATIENT (!((!running[0] || inside[0]) && (!running[1] || inside[1])))
#define CSYM(c) ((c) <= nseen)
#define ASYM(a) ((a) == 0 || aseen)
#endif

#if NC > 2
#define EACHC(X)    X(0) X(1) X(2)
#define HCNT(d,a,x) (((x)!=0 && BIT(mh[(d)*NA+(a)],0)) + ((x)!=1 && BIT(mh[(d)*NA+(a)],1)) + ((x)!=2 && BIT(mh[(d)*NA+(a)],2)))
#define TCNT(a)     ((st[0]==HELD+(a)) + (st[1]==HELD+(a)) + (st[2]==HELD+(a)))
#define NWAIT(d)    ((mw[(d)*NC]!=0) + (mw[(d)*NC+1]!=0) + (mw[(d)*NC+2]!=0))
#define ANY(P)      (P(0,0) || P(0,1) || P(1,0) || P(1,1) || P(2,0) || P(2,1))
#else
#define HCNT(d,a,x) (((x)!=0 && BIT(mh[(d)*NA+(a)],0)) + ((x)!=1 && BIT(mh[(d)*NA+(a)],1)))
#define TCNT(a)     ((st[0]==HELD+(a)) + (st[1]==HELD+(a)))
#define NWAIT(d)    ((mw[(d)*NC]!=0) + (mw[(d)*NC+1]!=0))
#define ANY(P)      (P(0,0) || P(0,1) || P(1,0) || P(1,1))
#endif

inline say(cc, ff) {
	if :: alive0 -> assert(nfull(Q(0,cc))); Q(0,cc)!ff :: else fi;
#if HAND
	assert(nfull(Q(1,cc))); Q(1,cc)!ff
#endif
}

/* ==== inbox, people, presence ========================================================================================= */

inline lowest(m) {                      /* any of the decisions under way */
	ge = 0;
	do
	:: BIT(m,ge) -> break
	:: (m>>(ge+1)) != 0 -> ge++
	od
}
inline consume(cc, aa) {                /* inbox meets a decision */
	lowest(asg[(aa)*NC+cc]);
	if
	:: asg[(aa)*NC+cc] = asg[(aa)*NC+cc] & (32767-(1<<ge))
	:: db > 0 -> db--               /* and will meet it again */
	fi;
	if
	:: ep[cc] == ge && st[cc] == WAIT ->
		assert(ep[cc] < MAXE);
#ifdef GHOST
		assert(acts[cc] == wact[cc*16+ge]);
#endif
		printf("INBOX  applies (c%d, epoch %d -> agent %d)\n", cc, ge, aa);
		ep[cc]++; st[cc] = HELD+aa; routed[cc] = 1;
		say(cc, FACT(HELD+aa, ep[cc]))
#ifndef NAIVE_DUP
	:: ep[cc] == ge+1 && st[cc] == HELD+aa && routed[cc] ->         /* R4 */
		printf("INBOX  has applied (c%d, epoch %d -> agent %d) before\n", cc, ge, aa)
#endif
#if RB > 0
	:: ep[cc] == ge && st[cc] == WAIT && rb > 0 ->                  /* R14 */
		rb--;
		printf("INBOX  refuses (c%d, epoch %d -> agent %d) for a reason of its own\n", cc, ge, aa);
		say(cc, FACT(REF+aa, ge));
#ifndef NAIVE_REASON
		assert(ep[cc] < MAXE);
		ep[cc]++;
#ifdef GHOST
		wact[cc*16+ep[cc]] = acts[cc];
#endif
		say(cc, FACT(WAIT, ep[cc]))
#endif
#endif
	:: else ->
		printf("INBOX  refuses (c%d, epoch %d -> agent %d)\n", cc, ge, aa);
		say(cc, FACT(REF+aa, ge))
	fi
}
#if REQUEUE
inline takeback(cc) {                   /* inbox meets an unassign; if it is too late nothing needs to be said */
	lowest(una[cc]);
	if
	:: una[cc] = una[cc] & (32767-(1<<ge))
	:: db > 0 -> db--
	fi;
	if
	:: ep[cc] == ge && (st[cc] == HELD || st[cc] == HELD+1) ->
		assert(ep[cc] < MAXE);
		printf("INBOX  puts c%d back into the queue (epoch %d)\n", cc, ge);
		ep[cc]++; st[cc] = WAIT; routed[cc] = 0;
#ifdef GHOST
		wact[cc*16+ep[cc]] = acts[cc];
#endif
		say(cc, FACT(WAIT, ep[cc]))
	:: else
	fi
}
#endif
inline person(cc) {
	if
#if TAKES
	:: st[cc] != CLOSED && st[cc] != HELD              -> st[cc] = HELD; aseen = 1
	:: st[cc] != CLOSED && st[cc] != HELD+1 && ASYM(1) -> st[cc] = HELD+1
#endif
	:: st[cc] != CLOSED -> st[cc] = CLOSED
	:: st[cc] != WAIT   -> st[cc] = WAIT
	fi;
	pb--; routed[cc] = 0;
#ifdef NAIVE_EPOCHMOVE
	if :: st[cc] == HELD || st[cc] == HELD+1 -> ep[cc]++ :: else fi;
#else
	ep[cc]++;                       /* R1 */
#endif
#ifdef GHOST
	acts[cc]++;
	if :: st[cc] == WAIT -> wact[cc*16+ep[cc]] = acts[cc] :: else fi;
#endif
	printf("PERSON c%d: %d (1 waits, 2 held by agent 0, 3 by agent 1, 4 closed), epoch %d\n", cc, st[cc], ep[cc]);
	say(cc, FACT(st[cc], ep[cc]))
}
inline toggle(aa) {
	nb--; online[aa] = 1 - online[aa]; if :: aa == 0 -> aseen = 1 :: else fi;
	printf("AGENT  %d online=%d\n", aa, online[aa]);
#ifndef NAIVE_WAKE
	if :: alive0 -> ach[aa] = 1 :: else fi;         /* R12 */
#if HAND
	ach[NA+aa] = 1
#endif
#endif
}
proctype World() {
end_world:
	do
	:: atomic { PATIENT && asg[0*NC+0] != 0 -> consume(0, 0) }
	:: atomic { PATIENT && asg[1*NC+0] != 0 -> consume(0, 1) }
	:: atomic { PATIENT && asg[0*NC+1] != 0 -> consume(1, 0) }
	:: atomic { PATIENT && asg[1*NC+1] != 0 -> consume(1, 1) }
#if NC > 2
	:: atomic { PATIENT && asg[0*NC+2] != 0 -> consume(2, 0) }
	:: atomic { PATIENT && asg[1*NC+2] != 0 -> consume(2, 1) }
#endif
#if REQUEUE
	:: atomic { PATIENT && una[0] != 0 -> takeback(0) }
	:: atomic { PATIENT && una[1] != 0 -> takeback(1) }
#if NC > 2
	:: atomic { PATIENT && una[2] != 0 -> takeback(2) }
#endif
#endif
#if PB > 0
	:: atomic { PATIENT && pb > 0 && ep[0] < MAXE-1 -> person(0) }
	:: atomic { PATIENT && pb > 0 && ep[1] < MAXE-1 -> person(1) }
#if NC > 2
	:: atomic { PATIENT && pb > 0 && ep[2] < MAXE-1 -> person(2) }
#endif
	:: atomic { PATIENT && pb > 0 -> pb = 0 }       /* nobody does anything more */
#endif
#if NB > 0
	:: atomic { PATIENT && nb > 0 -> toggle(0) }
	:: atomic { PATIENT && nb > 0 && ASYM(1) -> toggle(1) }
	:: atomic { PATIENT && nb > 0 -> nb = 0 }
#endif
#if LB > 0
	:: atomic { PATIENT && latef != 0 ->
		printf("TOPIC  brings (c%d %d/%d) once more\n", latec, FS(latef), FE(latef));
		say(latec, latef); latef = 0; latec = 0 }
#endif
	od
}

/* ==== the decider ===================================================================================================== */

#define CRASHABLE ((d==0 && HAND==1) || (d==1 && cb>0))
#define CRASH     atomic { CRASHABLE -> goto crash }
#ifdef NAIVE_OFFSET
#define MAYREAD (NWAIT(d) < INFL && (d==1 || own==0 || zk>0))
#else
#define MAYREAD (d==1 || own==0 || zk>0)
#endif
#if defined(BELIEVE) && !defined(NAIVE_ALONE)
#define CONCERNED(a) (FN(f) == (a) || H(a,c) != 0 || BIT(mh[d*NA+(a)],c))       /* R9 new: the store's word and memory's */
#elif defined(NAIVE_LOCATE)
#define CONCERNED(a) (FN(f) == (a) || BIT(mh[d*NA+(a)],c))
#else
#define CONCERNED(a) (FN(f) == (a) || H(a,c) != 0)      /* R10 */
#endif

inline wrote(aa) {
	if :: running[1-d] -> stale[(1-d)*NA+aa] = 1 :: else fi
}
inline read(aa) {                       /* read a's document: memory agrees with it now */
	stale[d*NA+aa] = 0; mh[d*NA+aa] = 0;
	gi = 0;
	do
	:: gi < NC ->
#ifdef NAIVE_HIDE
		if :: mw[d*NC+gi] != 0 && H(aa,gi) != 0 -> mw[d*NC+gi] = 0 :: else fi;
#else
		if :: mw[d*NC+gi] != 0 && HE(H(aa,gi)) >= mw[d*NC+gi] -> mw[d*NC+gi] = 0 :: else fi;
#endif
		if :: H(aa,gi) != 0 -> mh[d*NA+aa] = mh[d*NA+aa] | (1<<gi) :: else fi;
		gi++
	:: else -> break
	od
}
inline taking() {
	if :: d==0 && own==1 && zk<255 -> zk-- :: else fi
}
inline take(cc) {
	taking(); if :: cc == nseen -> nseen++ :: else fi;
	c = cc; Q(d,cc)?<f>; inside[d] = 1; seen = 0;
	printf("D%d     takes (c%d %d/%d)\n", d, c, FS(f), FE(f));
	todo = (CONCERNED(0) -> 1 : 0) | (CONCERNED(1) -> 2 : 0);
#if defined(NAIVE_NEWS) || defined(NAIVE_ORDER)
	old = (FS(f) < REF && FE(f) <= rep[c]);
#endif
#ifdef NAIVE_ORDER
	if :: FS(f) < REF && !old -> rep[c] = FE(f); rst[c] = FS(f) :: else fi;
#endif
	ge = 0
}
inline changed(aa) {                    /* "agent a changed" */
	taking();
	ach[d*NA+aa] = 0;
#if HAND
	if :: d == 0 && own == 0 -> ach[NA+aa] = 0 :: else fi;
#endif
	known[d*NA+aa] = online[aa]; read(aa);
	printf("D%d     sees agent %d online=%d\n", d, aa, online[aa])
}
inline wanted() {                       /* R3: what the record wants of a's document */
	if
	:: FS(f) < REF && FN(f) == a && HE(H(a,c)) < FE(f)                  -> nd = 1
	:: FS(f) < REF && FN(f) != a && H(a,c) != 0 && HE(H(a,c)) < FE(f)   -> nd = 1
#ifdef NAIVE_FREE
	:: FS(f) >= REF && FN(f) == a && H(a,c) != 0                        -> nd = 1
#else
	:: FS(f) >= REF && FN(f) == a && H(a,c) == HV(FE(f), OFFERED)       -> nd = 1
#endif
	:: else
	fi;
	hv = HE(H(a,c))
}
inline write() {
	if
	:: FS(f) < REF && FN(f) == a ->
#ifdef NAIVE_TAKE
		if :: H(a,c) != 0 -> H(a,c) = HV(FE(f), TAKEN) :: else fi
#else
		H(a,c) = HV(FE(f), TAKEN)
#endif
	:: else -> H(a,c) = 0
	fi;
	printf("D%d     writes agent %d: c%d %d/%d (epoch/1 offered 2 held)\n", d, a, c, HE(H(a,c)), HK(H(a,c)));
	mh[d*NA+a] = (mh[d*NA+a] & (255-(1<<c))) | ((H(a,c)!=0)<<c);
	hv = HE(H(a,c));
	wrote(a)
}
inline promise(cc, aa) {                /* P9, asked of the world at the moment of the decision */
	gn = 0; gi = 0;
	do
	:: gi < NC ->
		if
		:: gi != cc && st[gi] == HELD+aa && (routed[gi] || rep[gi] >= ep[gi]) -> gn++
		:: gi != cc && st[gi] == WAIT && BIT(asg[(aa)*NC+gi],ep[gi])          -> gn++
		:: else
		fi;
		gi++
	:: else -> break
	od;
	assert(gn < LIM)
}
inline decide(cc, aa) {                 /* one Update of the agent's document: room is counted after the read */
	read(aa);
	if
	:: mw[d*NC+cc] != 0 && HCNT(d,aa,cc) < LIM ->
		promise(cc, aa);
		printf("D%d     DECIDES (c%d, epoch %d -> agent %d)\n", d, cc, mw[d*NC+cc], aa);
		H(aa,cc) = HV(mw[d*NC+cc], OFFERED);                            /* the hold ... */
		asg[(aa)*NC+cc] = asg[(aa)*NC+cc] | (1<<mw[d*NC+cc]);           /* ... and the decision, in one write */
		mw[d*NC+cc] = 0; mh[d*NA+aa] = mh[d*NA+aa] | (1<<cc);
		if :: aa == 0 -> aseen = 1 :: else fi;
		wrote(aa)
	:: else -> printf("D%d     finds no room at agent %d\n", d, aa)
	fi
}
#define CAN(cc,aa) (mw[d*NC+(cc)] != 0 && known[d*NA+(aa)] && HCNT(d,aa,cc) < LIM)
#if defined(NAIVE_ROOM) || defined(BELIEVE)
#define DOUBT (0)
#else
#define DOUBT (NWAIT(d) > 0 && (stale[d*NA] || stale[d*NA+1]))           /* R9 */
#endif
#if REQUEUE
#define BACK(cc,aa) (!known[d*NA+(aa)] && BIT(mh[d*NA+(aa)],cc) && (stale[d*NA+(aa)] || HK(H(aa,cc)) == TAKEN))
inline recall(cc, aa) {
	read(aa);
	if
	:: HK(H(aa,cc)) == TAKEN ->
		printf("D%d     asks c%d (epoch %d) back from agent %d\n", d, cc, HE(H(aa,cc)), aa);
		una[cc] = una[cc] | (1<<HE(H(aa,cc)));
		H(aa,cc) = HV(HE(H(aa,cc)), RECALLED);
		wrote(aa)
	:: else
	fi
}
#else
#define BACK(cc,aa) (0)
#endif

proctype D(bit d) {
	byte c, f;              /* the record in hand */
	byte todo, a;           /* agents still to be updated; the one being updated */
	byte hv, seen;          /* epoch of the hold on c that was met or made; the newest of them */
	bit  nd, old;
	if
	:: d == 0 -> goto idle
	:: else
	fi;

rebuild:
	atomic {
		running[d] = 1; inside[d] = 1;
#ifndef NAIVE_REBUILD
		own = d;                                        /* R11: first the offsets */
#endif
		printf("D%d     starts and rebuilds\n", d)
	};
	atomic {
#ifndef NAIVE_WAITDOC
		gi = 0;
		do
		:: gi < NC -> if :: rst[gi] == WAIT -> mw[d*NC+gi] = rep[gi] :: else fi; gi++
		:: else -> break
		od;
#endif
		inside[d] = 0
	};
	atomic {
		read(0); known[d*NA] = online[0];
		read(1); known[d*NA+1] = online[1];
		printf("D%d     has rebuilt: waiting %d %d (epochs), holds %d %d (bits)\n", d, mw[d*NC], mw[d*NC+1], mh[d*NA], mh[d*NA+1])
	};
#ifdef NAIVE_REBUILD
	atomic { own = d; printf("D%d     fetches its offsets only now\n", d) };
#endif
#ifndef NAIVE_LAZY
	goto look;
#endif

idle:
end_idle:
	if
	:: atomic { MAYREAD && CSYM(0) && nempty(Q(d,0)) -> take(0); if :: todo == 0 -> goto document :: else -> goto record fi }
	:: atomic { MAYREAD && CSYM(1) && nempty(Q(d,1)) -> take(1); if :: todo == 0 -> goto document :: else -> goto record fi }
#if NC > 2
	:: atomic { MAYREAD && CSYM(2) && nempty(Q(d,2)) -> take(2); if :: todo == 0 -> goto document :: else -> goto record fi }
#endif
	:: atomic { MAYREAD && ach[d*NA+0] -> changed(0); goto look }
	:: atomic { MAYREAD && ach[d*NA+1] -> changed(1); goto look }
	:: CRASH
	fi;

record:	/* R6: one agent's document after the other, in any order: read it ... */
	if
	:: atomic { (todo & 1) -> a = 0; read(0); wanted() }
	:: atomic { (todo & 2) -> a = 1; read(1); wanted() }
	:: CRASH
	fi;
	/* ... R7: then ask the conversation's document whether the record is news (a refusal always is: R3 guards it) ... */
#ifndef NAIVE_EPOCH
	atomic {
		if
#if defined(NAIVE_NEWS) || defined(NAIVE_ORDER)
		:: old -> nd = 0
#else
		:: FS(f) < REF && FE(f) <= rep[c] -> nd = 0; printf("D%d     sees no news\n", d)
#endif
		:: else
		fi
	};
#endif
	/* ... then compare-and-set; if the document has moved, once more from the read */
	atomic {
		if
#if defined(BELIEVE) && !defined(NAIVE_ONCE)
		:: nd == 0 -> read(a); hv = HE(H(a,c)); todo = todo & (255-(1<<a))      /* R9 new: read again, after the conversation's document */
#else
		:: nd == 0 -> todo = todo & (255-(1<<a))
#endif
#ifdef NAIVE_NEWS
		:: nd != 0 -> write(); todo = todo & (255-(1<<a))
#else
		:: nd != 0 && stale[d*NA+a]  -> printf("D%d     compare-and-set of agent %d fails\n", d, a)
		:: nd != 0 && !stale[d*NA+a] -> write(); todo = todo & (255-(1<<a))
#endif
		fi;
		if :: !(todo & (1<<a)) && hv > seen -> seen = hv :: else fi;
		nd = 0; a = 0; hv = 0;
		if :: todo == 0 -> goto document :: else -> goto record fi
	};

document: /* R6: the conversation's document comes last, R5: forwards only */
	if
	:: atomic { true ->
#ifdef NAIVE_EPOCH
		if :: FS(f) < REF -> rep[c] = FE(f); rst[c] = FS(f) :: else fi;
#else
		if
		:: FS(f) < REF && FE(f) > rep[c] -> rep[c] = FE(f); rst[c] = FS(f)
#ifdef NAIVE_SKIP
		:: else -> goto commit
#else
		:: else
#endif
		fi;
#endif
		if      /* R8 */
		:: rst[c] == WAIT && seen < rep[c] -> mw[d*NC+c] = rep[c]
		:: else -> mw[d*NC+c] = 0
		fi;
		printf("D%d     c%d document %d/%d, waits in memory: %d\n", d, c, rst[c], rep[c], mw[d*NC+c])
	   }
	:: CRASH
	fi;
commit:	/* R13 */
	if
	:: atomic { true ->
#if LB > 0
		if
		:: own == d && lb > 0 -> latef = f; latec = c; lb--
		:: true
		fi;
#endif
		Q(d,c)?_;
#if HAND
		if
		:: d == 0 && own == 0 -> Q(1,c)?_
		:: else
		fi;
#endif
#ifdef NAIVE_TOMB
		if :: rst[c] == CLOSED -> rst[c] = 0; rep[c] = 0 :: else fi;
#endif
		printf("D%d     commits\n", d);
		c = 0; f = 0; seen = 0; old = 0; inside[d] = 0;
		if :: !ANY(CAN) && !ANY(BACK) && !DOUBT -> goto idle :: else fi
	   }
	:: CRASH
	fi;

look:	/* as long as somebody waits and somebody has room */
	if
	:: atomic { CAN(0,0) -> decide(0,0); goto look }
	:: atomic { CAN(0,1) && ASYM(1) -> decide(0,1); goto look }
	:: atomic { CAN(1,0) -> decide(1,0); goto look }
	:: atomic { CAN(1,1) && ASYM(1) -> decide(1,1); goto look }
#if NC > 2
	:: atomic { CAN(2,0) -> decide(2,0); goto look }
	:: atomic { CAN(2,1) && ASYM(1) -> decide(2,1); goto look }
#endif
#if REQUEUE
	:: atomic { BACK(0,0) -> recall(0,0); goto look }
	:: atomic { BACK(0,1) -> recall(0,1); goto look }
	:: atomic { BACK(1,0) -> recall(1,0); goto look }
	:: atomic { BACK(1,1) -> recall(1,1); goto look }
#if NC > 2
	:: atomic { BACK(2,0) -> recall(2,0); goto look }
	:: atomic { BACK(2,1) -> recall(2,1); goto look }
#endif
#endif
	:: atomic { !ANY(CAN) && DOUBT -> read(0); read(1); printf("D%d     asks the store who has room\n", d); goto look }
	:: atomic { !ANY(CAN) && !ANY(BACK) && !DOUBT -> goto idle }
	:: CRASH
	fi;

crash:
	atomic {
		printf("D%d     dies\n", d);
		c = 0; f = 0; seen = 0; hv = 0; nd = 0; old = 0; todo = 0; a = 0; running[d] = 0; inside[d] = 0;
		gi = 0;
		do :: gi < NC -> mw[d*NC+gi] = 0; gi++ :: else -> break od;
		stale[d*NA] = 0; stale[d*NA+1] = 0; known[d*NA] = 0; known[d*NA+1] = 0; mh[d*NA] = 0; mh[d*NA+1] = 0;
		if
		:: d == 1 -> cb--; goto rebuild
		:: else -> alive0 = 0; ach[0] = 0; ach[1] = 0;
			gi = 0;
			do
			:: gi < NC ->
				do :: Q(0,gi)?_ :: empty(Q(0,gi)) -> break od;
				gi++
			:: else -> break
			od
		fi
	}
}

/* ==== when all is quiet =============================================================================================== */

proctype Quiet() {
end_quiet:
	timeout -> d_step {
#ifdef P9ONLY
	gi = NC;
#else
	gi = 0;
#endif

	do
	:: gi < NC ->
		assert(!(H(0,gi) != 0 && st[gi] != HELD));                      /* a hold leaked */
		assert(!(H(1,gi) != 0 && st[gi] != HELD+1));
		assert(!(H(0,gi) == 0 && st[gi] == HELD));                      /* a holder that capacity does not know of */
		assert(!(H(1,gi) == 0 && st[gi] == HELD+1));
		assert(!(st[gi] == WAIT && online[0] && TCNT(0) < LIM));        /* waits beside a free agent */
		assert(!(st[gi] == WAIT && online[1] && TCNT(1) < LIM));
#ifndef EFFECTS                                                                 /* -DEFFECTS: only what users would notice */
		assert(rep[gi] == ep[gi] && rst[gi] == st[gi]);
#endif
#if REQUEUE
		assert(!(st[gi] == HELD && !online[0]));
		assert(!(st[gi] == HELD+1 && !online[1]));
#endif
		gi++
	:: else -> break
	od }
}

init {
	atomic {
		running[0] = 1;
		online[0] = ON; online[1] = ON; known[0] = ON; known[1] = ON;
		gi = 0;
		do
		:: gi < NC -> ep[gi] = 1; st[gi] = WAIT; say(gi, FACT(WAIT,1)); gi++
		:: else -> break
		od;
		run World();
		run D(0);
#if HAND
		run D(1);
#endif
		run Quiet()
	}
}
