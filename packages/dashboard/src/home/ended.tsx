/** What ended lately, with the reason in words: start it afresh, or take it off the list. */
import { ChevronRight, RotateCcw, X } from 'lucide-react'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient, type SessionPage, useMe } from '../queries.ts'
import { removeWithUndo, tellProblem, useLeaving, useRestart } from '../sessions/actions.ts'
import { iconOf } from '../sessions/card.tsx'
import { StateBadge } from '../sessions/words.tsx'
import { Ago } from '../ui/ago.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import css from './home.module.css'

const OLDER_AT_ONCE = 30

/** Adds the next page to the list that live events keep. */
async function readOlder(after: string): Promise<void> {
  const older = await call(ROUTES.sessions.list, { query: { state: 'ended', after, limit: OLDER_AT_ONCE } })
  queryClient.setQueryData(['sessions', 'ended'], (known: SessionPage | undefined) => {
    const ids = new Set(known?.items.map((it) => it.id))
    return {
      items: [...(known?.items ?? []), ...older.items.filter((it) => !ids.has(it.id))],
      next: older.next,
    }
  })
}

export function Ended({ page }: { page: SessionPage | undefined }) {
  const me = useMe()
  const [, go] = useLocation()
  const restart = useRestart()
  const leaving = useLeaving()
  const [reading, setReading] = useState(false)
  const shown = page?.items.filter((it) => !leaving.has(it.id)) ?? []
  if (!page || (shown.length === 0 && !page.next)) return null
  const showOlder = async (after: string) => {
    setReading(true)
    await readOlder(after).catch(tellProblem)
    setReading(false)
  }
  return (
    <section className={css.part}>
      <h2>{m.recentlyEnded}</h2>
      <ul className={css.list}>
        {shown.map((session) => (
          <li key={session.id} className={css.row}>
            <img src={iconOf(session.templateId)} alt="" width="32" height="32" />
            <div className={css.rowWords}>
              <Link href={`/sessions/${session.id}`} className={css.rowName}>
                {session.name}
                <ChevronRight aria-hidden />
              </Link>
              <p className={css.reason}>
                {session.userId !== me.id && <>{m.belongsTo(session.userName)} · </>}
                {session.reason ?? m.reasonNone} · <Ago at={session.endedAt ?? session.createdAt} />
              </p>
            </div>
            <StateBadge session={session} />
            <div className={css.rowActions}>
              <IconButton
                label={`${m.startAgain}: ${session.name}`}
                isPending={restart.isPending && restart.variables.id === session.id}
                onPress={() => restart.mutate(session, { onSuccess: () => go(`/s/${session.id}`) })}
              >
                <RotateCcw aria-hidden />
              </IconButton>
              <IconButton
                label={`${m.removeFromList}: ${session.name}`}
                onPress={() => removeWithUndo(session)}
              >
                <X aria-hidden />
              </IconButton>
            </div>
          </li>
        ))}
      </ul>
      {page.next && (
        <div>
          <Button look="plain" isPending={reading} onPress={() => page.next && void showOlder(page.next)}>
            {m.showMore}
          </Button>
        </div>
      )}
    </section>
  )
}
