/** Before the first picture, and after the end: what happens, what went wrong, what to do. Never a blank canvas. */
import type { Session } from '@kalnet/contracts/session'
import { CloudOff, House, RotateCcw, Sun } from 'lucide-react'
import * as m from '../messages/index.ts'
import { useRestart, useWake } from '../sessions/actions.ts'
import { iconOf } from '../sessions/card.tsx'
import { keptWords } from '../sessions/kept.ts'
import { StagesLine } from '../sessions/stages-line.tsx'
import { progressWords } from '../sessions/words.tsx'
import { Button, LinkButton } from '../ui/button.tsx'
import { CopyButton, LogView } from '../ui/parts.tsx'
import { Progress } from '../ui/progress.tsx'
import css from './start.module.css'

function titleOf(session: Session): string {
  if (session.state === 'failed') return m.failedTitle(session.name)
  if (session.state === 'stopped') return m.stoppedTitle(session.name)
  if (session.state === 'stopping') return m.stoppingTitle(session.name)
  if (session.state === 'hibernating') return m.fallingAsleepTitle(session.name)
  if (session.state === 'hibernated') return m.sleepingTitle(session.name)
  if (session.state === 'waking') return m.wakingTitle(session.name)
  return session.state === 'running' ? session.name : m.startingTitle(session.name)
}

const factsOf = (it: Session) =>
  [
    `${it.templateId} · ${it.platform ?? '-'} · ${it.controllerName ?? '-'}`,
    `${it.id} #${it.generation}`,
    it.reason ?? '',
    ...it.logTail,
  ].join('\n')

function Ended({ session }: { session: Session }) {
  const restart = useRestart()
  const failed = session.state === 'failed'
  return (
    <>
      {session.reason && <p className={failed ? css.problem : css.words}>{session.reason}</p>}
      {failed && <LastLines session={session} />}
      <div className={css.actions}>
        <Button
          look="primary"
          icon={<RotateCcw aria-hidden />}
          isPending={restart.isPending}
          onPress={() => restart.mutate(session)}
        >
          {failed ? m.tryAgain : m.startAfresh}
        </Button>
        <Elsewhere session={session} />
        {failed && <CopyButton text={factsOf(session)} label={m.copyDetails} />}
      </div>
    </>
  )
}

const LastLines = ({ session }: { session: Session }) =>
  session.logTail.length > 0 && (
    <div className={css.log}>
      <h2>{m.lastLines}</h2>
      <LogView lines={session.logTail} label={m.lastLines} />
    </div>
  )

const Elsewhere = ({ session }: { session: Session }) => (
  <>
    <LinkButton href="/" icon={<House aria-hidden />}>
      {m.home}
    </LinkButton>
    <LinkButton href={`/sessions/${session.id}`} look="plain">
      {m.details}
    </LinkButton>
  </>
)

function Asleep({ session }: { session: Session }) {
  const wake = useWake()
  return (
    <>
      {session.reason && <p className={css.words}>{session.reason}</p>}
      <p className={css.words}>{m.sleepingText}</p>
      <p className={css.words}>{keptWords(session)}</p>
      <LastLines session={session} />
      <div className={css.actions}>
        <Button
          look="primary"
          icon={<Sun aria-hidden />}
          isPending={wake.isPending}
          onPress={() => wake.mutate(session)}
        >
          {m.wakeUp}
        </Button>
        <Elsewhere session={session} />
      </div>
    </>
  )
}

export function Start({ session }: { session: Session | undefined }) {
  if (!session) return <div className={css.start} aria-busy="true" />
  const ended = session.state === 'failed' || session.state === 'stopped'
  const asleep = session.state === 'hibernated'
  const ending = session.state === 'stopping' || session.state === 'hibernating'
  const going = !ended && !asleep && !ending
  const words =
    session.state === 'running'
      ? session.stages.firstByte
        ? m.progressPicture
        : m.progressConnecting
      : progressWords(session)
  return (
    <div className={css.start}>
      <section className={css.box} aria-label={titleOf(session)}>
        <img src={iconOf(session.templateId)} alt="" width="72" height="72" className={css.icon} />
        <h1>{titleOf(session)}</h1>
        {going && (
          <>
            <p className={css.words} role="status">
              {words}
            </p>
            <div className={css.progress}>
              <Progress label={words} share={session.progress?.share ?? null} />
            </div>
          </>
        )}
        {!session.reachable && session.controllerName && going && (
          <p className={css.note}>
            <CloudOff aria-hidden />
            {m.unreachableText(session.controllerName)}
          </p>
        )}
        {session.state === 'hibernating' && <p className={css.words}>{m.sleepingText}</p>}
        {session.state !== 'stopped' && !asleep && !ending && (
          <StagesLine stages={session.stages} going={going} />
        )}
        {ended && <Ended session={session} />}
        {asleep && <Asleep session={session} />}
        {going && (
          <LinkButton href="/" look="plain">
            {m.leave}
          </LinkButton>
        )}
      </section>
    </div>
  )
}
