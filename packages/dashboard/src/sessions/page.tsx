/** One session from all sides: state and reason, stages with times, where it runs, what it printed. */
import { useQuery } from '@tanstack/react-query'
import { MonitorPlay, Moon, RotateCcw, Square, Sun, Trash2, X } from 'lucide-react'
import { useState } from 'react'
import { useLocation, useParams } from 'wouter'
import { hasEnded } from '../apply-event.ts'
import { PLATFORM_WORDS } from '../catalog/words.ts'
import { between, duration } from '../format.ts'
import * as m from '../messages/index.ts'
import { logsQuery, sessionQuery, useMe } from '../queries.ts'
import { useTitle } from '../shell/use-title.ts'
import { Ago } from '../ui/ago.tsx'
import { Button, LinkButton } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Card, CopyButton, ErrorBox, LogView, Skeleton } from '../ui/parts.tsx'
import { removeWithUndo, useRestart, useWake } from './actions.ts'
import { iconOf } from './card.tsx'
import type { Ending } from './confirm-stop.tsx'
import { keptAmount } from './kept.ts'
import css from './page.module.css'
import { StagesLine } from './stages-line.tsx'
import { UseCard } from './use-card.tsx'
import { Viewings } from './viewings.tsx'
import { whyThere } from './why-there.ts'
import { isStarting, progressWords, StateBadge } from './words.tsx'

const ConfirmEnding = later(() => import('./confirm-stop.tsx'))

export default function SessionPage() {
  const { id = '' } = useParams()
  const me = useMe()
  const [, go] = useLocation()
  const { data: session, error, refetch } = useQuery(sessionQuery(id))
  const logs = useQuery(logsQuery(id))
  const restart = useRestart()
  const wake = useWake()
  const [ending, setEnding] = useState<Ending | null>(null)
  useTitle(session?.name ?? m.details)

  if (error && !session) {
    return (
      <div className={css.page}>
        <h1>{m.sessionGone}</h1>
        <ErrorBox problem={error} retry={() => void refetch()} />
      </div>
    )
  }
  if (!session) {
    return (
      <div className={css.page} aria-busy="true">
        <Skeleton width="50%" height="40px" />
        <Skeleton height="120px" />
        <Skeleton height="240px" />
      </div>
    )
  }
  const ended = hasEnded(session)
  const mine = session.userId === me.id
  const going = isStarting(session.state)
  const asleep = session.state === 'hibernated'
  const why = session.placed ? whyThere(session.placed) : null
  const total = between(session.stages.accepted, session.stages.firstFrame)
  return (
    <div className={css.page}>
      <header className={css.head}>
        <img src={iconOf(session.templateId)} alt="" width="56" height="56" />
        <div className={css.title}>
          <h1>{session.name}</h1>
          <StateBadge session={session} />
        </div>
        <div className={css.actions}>
          {!ended && !asleep && mine && (
            <LinkButton href={`/s/${session.id}`} look="primary" icon={<MonitorPlay aria-hidden />}>
              {m.openScreen}
            </LinkButton>
          )}
          {asleep ? (
            <>
              <Button
                look="primary"
                icon={<Sun aria-hidden />}
                isPending={wake.isPending}
                onPress={() => wake.mutate(session, { onSuccess: () => mine && go(`/s/${session.id}`) })}
              >
                {m.wakeUp}
              </Button>
              <Button icon={<Trash2 aria-hidden />} onPress={() => setEnding('delete')}>
                {m.deleteForGood}
              </Button>
            </>
          ) : ended ? (
            <>
              <Button
                look="primary"
                icon={<RotateCcw aria-hidden />}
                isPending={restart.isPending}
                onPress={() => restart.mutate(session, { onSuccess: () => mine && go(`/s/${session.id}`) })}
              >
                {m.startAfresh}
              </Button>
              <Button
                icon={<X aria-hidden />}
                onPress={() => {
                  removeWithUndo(session)
                  go('/')
                }}
              >
                {m.removeFromList}
              </Button>
            </>
          ) : (
            <>
              {session.keepsHome && (
                <Button
                  icon={<Moon aria-hidden />}
                  isDisabled={session.state !== 'running'}
                  onPress={() => setEnding('sleep')}
                >
                  {m.putToSleep}
                </Button>
              )}
              <Button
                icon={<RotateCcw aria-hidden />}
                isDisabled={session.state !== 'running'}
                onPress={() => setEnding('restart')}
              >
                {m.restart}
              </Button>
              <Button
                icon={<Square aria-hidden />}
                isDisabled={session.state === 'stopping'}
                onPress={() => setEnding('stop')}
              >
                {m.stop}
              </Button>
            </>
          )}
        </div>
      </header>

      {session.reason && !asleep && (
        <p className={session.state === 'failed' ? css.problem : css.note}>{session.reason}</p>
      )}
      {asleep && (
        <p className={css.rest}>
          {session.reason} {m.sleepingText}
        </p>
      )}
      {!session.reachable && session.controllerName && !ended && (
        <p className={css.note}>{m.unreachableText(session.controllerName)}</p>
      )}
      <Card label={m.stages}>
        <StagesLine stages={session.stages} going={going} />
        <p className={css.sum}>
          {going ? progressWords(session) : total === null ? '' : m.stagesTotal(duration(total))}
        </p>
      </Card>
      <UseCard session={session} />
      <dl className={css.facts}>
        <div>
          <dt>{m.sessionTemplate}</dt>
          <dd>{session.templateName}</dd>
        </div>
        <div>
          <dt>{m.sessionWhere}</dt>
          <dd>{session.controllerName ?? m.notYet}</dd>
        </div>
        <div>
          <dt>{m.sessionPlatform}</dt>
          <dd>{session.platform ? PLATFORM_WORDS[session.platform] : m.notYet}</dd>
        </div>
        <div>
          <dt>{m.sessionOwner}</dt>
          <dd>{session.userName}</dd>
        </div>
        <div>
          <dt>{session.endedAt ? m.sessionEnded : m.sessionStarted}</dt>
          <dd>
            <Ago at={session.endedAt ?? session.createdAt} />
          </dd>
        </div>
        {session.home && (
          <div>
            <dt>{m.keptFiles}</dt>
            <dd>{keptAmount(session.home)}</dd>
          </div>
        )}
        <div>
          <dt>{m.sessionGeneration}</dt>
          <dd>{m.times(session.generation - 1)}</dd>
        </div>
        {session.home && (
          <div className={css.place}>
            <dt>{m.keptPlace}</dt>
            <dd>{session.home.place ?? m.keptNotKnown}</dd>
          </div>
        )}
      </dl>
      {why && (
        <details className={css.why}>
          <summary>{m.whyThere(why.name)}</summary>
          <ul>
            {why.lines.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </details>
      )}
      <Viewings sessionId={session.id} />
      <section className={css.logs}>
        <div className={css.logsHead}>
          <h2>{m.logs}</h2>
          <CopyButton text={(logs.data?.lines ?? session.logTail).join('\n')} />
        </div>
        {logs.error && !logs.data && session.logTail.length === 0 ? (
          <ErrorBox problem={logs.error} retry={() => void logs.refetch()} />
        ) : (
          <LogView lines={logs.data?.lines ?? session.logTail} label={m.logs} />
        )}
      </section>
      {ending && (
        <ConfirmEnding
          session={session}
          ending={ending}
          onClose={() => setEnding(null)}
          onDone={() => ending === 'delete' && go('/')}
        />
      )}
    </div>
  )
}
