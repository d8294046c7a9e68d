/** The viewer: a session's screen over the whole window, everything else out of the way until asked for. */
import { useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useLocation, useParams } from 'wouter'
import * as m from '../messages/index.ts'
import { sessionQuery } from '../queries.ts'
import type { Ending } from '../sessions/confirm-stop.tsx'
import { Splash } from '../shell/splash.tsx'
import { useTitle } from '../shell/use-title.ts'
import { LinkButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { later } from '../ui/later.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { Away } from './away.tsx'
import { Bar } from './bar.tsx'
import { FiguresBox } from './figures-box.tsx'
import { Hint } from './hint.tsx'
import { usePreference } from './preference.ts'
import { type FitMode, loadNoVnc, type Quality } from './screen.ts'
import { Start } from './start.tsx'
import { TouchRow } from './touch-row.tsx'
import { useChord } from './use-chord.ts'
import { useClipboard } from './use-clipboard.ts'
import { useModifiers } from './use-modifiers.ts'
import { useScreen } from './use-screen.ts'
import css from './viewer.module.css'

const Idle = later(() => import('./idle.tsx'))
const ConfirmEnding = later(() => import('../sessions/confirm-stop.tsx'))

export default function Viewer() {
  const { id = '' } = useParams()
  const [, go] = useLocation()
  const { data: session, error, refetch } = useQuery(sessionQuery(id))
  useTitle(session?.name ?? m.product)

  const target = useRef<HTMLDivElement>(null)
  const last = useRef<HTMLCanvasElement>(null)
  const [fit, setFit] = usePreference<FitMode>('fit', 'resize', ['resize', 'scale', 'actual'])
  const [quality, setQuality] = usePreference<Quality>('quality', 'balanced', ['best', 'balanced', 'saving'])
  const [figures, setFigures] = useState(false)
  const [bar, setBar] = useState(false)
  const [ending, setEnding] = useState<Ending | null>(null)

  const running = session?.state === 'running'
  const takeText = useRef<(text: string) => void>(() => undefined)
  const { state, measure, screen } = useScreen({
    sessionId: id,
    open: running,
    generation: session?.generation ?? 0,
    fit,
    quality,
    onClipboard: (text) => takeText.current(text),
    target,
    last,
  })
  const live = running && state.kind === 'live'
  const away = running && state.kind === 'away'
  const clipboard = useClipboard(screen, live)
  takeText.current = clipboard.take
  const modifiers = useModifiers(screen)

  // While the session starts, its viewer is fetched.
  useEffect(() => void loadNoVnc().catch(() => undefined), [])
  const leaveScreen = useCallback(() => {
    screen.current?.blur()
    setBar(true)
  }, [screen])
  useChord(leaveScreen)
  const toScreen = () => {
    setBar(false)
    screen.current?.focus()
  }

  if (error && !session) {
    return (
      <Splash>
        <ErrorBox problem={error} retry={() => void refetch()} />
        <LinkButton href="/">{m.goHome}</LinkButton>
      </Splash>
    )
  }
  if (state.kind === 'revoked') {
    return (
      <Splash>
        <h1>{m.viewerRevoked}</h1>
        <p>{m.viewerRevokedText}</p>
        <LinkButton href="/" look="primary">
          {m.goHome}
        </LinkButton>
      </Splash>
    )
  }
  return (
    <main className={css.viewer} data-stage aria-label={session ? m.viewerLabel(session.name) : m.loading}>
      <div className={css.stage}>
        <div
          ref={target}
          className={classes(css.screen, live && css.shown)}
          data-fit={fit}
          data-live={live}
        />
        <canvas ref={last} className={classes(css.last, away && css.shown)} aria-hidden />
        {away && <Away since={state.since} onTryNow={() => screen.current?.tryNow()} />}
        {!live && !away && <Start session={session} />}
        {figures && live && session && <FiguresBox measure={measure} stages={session.stages} />}
        {live && <Hint />}
        {live && session?.idle && <Idle session={session} />}
      </div>
      {live && <TouchRow modifiers={modifiers} />}
      {session && (
        <Bar
          session={session}
          live={live}
          shown={bar}
          onShow={setBar}
          onDone={toScreen}
          fit={fit}
          onFit={setFit}
          quality={quality}
          onQuality={setQuality}
          figures={figures}
          onFigures={setFigures}
          clipboard={clipboard}
          modifiers={modifiers}
          onControlAltDelete={() => screen.current?.controlAltDelete()}
          onEnding={setEnding}
        />
      )}
      {session && ending && (
        <ConfirmEnding
          session={session}
          ending={ending}
          onClose={() => setEnding(null)}
          onDone={() => ending === 'stop' && go('/')}
        />
      )}
    </main>
  )
}
