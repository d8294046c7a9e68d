/** The session bar: hidden until asked for by its handle, the edge, or the chord. */
import type { Session } from '@kalnet/contracts/session'
import {
  Activity,
  ChevronDown,
  ChevronUp,
  Clipboard as ClipboardIcon,
  House,
  Info,
  Keyboard,
  Maximize,
  Minimize,
  Moon,
  RotateCcw,
  Scaling,
  Square,
} from 'lucide-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import * as m from '../messages/index.ts'
import type { Ending } from '../sessions/confirm-stop.tsx'
import { classes } from '../ui/classes.ts'
import css from './bar.module.css'
import { ClipboardPanel, KeysPanel, SizePanel } from './panels.tsx'
import type { FitMode, Quality } from './screen.ts'
import type { Clipboard } from './use-clipboard.ts'
import { useFullScreen } from './use-full-screen.ts'
import type { Modifiers } from './use-modifiers.ts'

export interface BarProps {
  session: Session
  live: boolean
  shown: boolean
  onShow: (shown: boolean) => void
  /** Back to the screen. */
  onDone: () => void
  fit: FitMode
  onFit: (fit: FitMode) => void
  quality: Quality
  onQuality: (quality: Quality) => void
  figures: boolean
  onFigures: (shown: boolean) => void
  clipboard: Clipboard
  modifiers: Modifiers
  onControlAltDelete: () => void
  onEnding: (ending: Ending) => void
}
type Panel = 'keys' | 'clipboard' | 'size'
/** The pointer rests this long on the handle before the bar comes, and is gone this long before it leaves. */
const COME_MS = 200
const GO_MS = 1_200

interface ToolProps {
  label: string
  icon: ReactNode
  pressed?: boolean
  expanded?: boolean
  disabled?: boolean
  onPress: () => void
}
const Tool = ({ label, icon, pressed, expanded, disabled, onPress }: ToolProps) => (
  <button
    type="button"
    className={css.tool}
    title={label}
    aria-pressed={pressed}
    aria-expanded={expanded}
    disabled={disabled}
    onClick={onPress}
  >
    {icon}
    <span>{label}</span>
  </button>
)

export function Bar(props: BarProps) {
  const { session, live, shown, onShow, onDone, clipboard, modifiers } = props
  const [, go] = useLocation()
  const [panel, setPanel] = useState<Panel | null>(null)
  const [full, switchFull] = useFullScreen()
  const box = useRef<HTMLDivElement>(null)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)

  useEffect(() => {
    if (!shown) {
      setPanel(null)
      return
    }
    // One picture later: what is still styled as hidden takes no focus.
    const soon = requestAnimationFrame(() =>
      box.current?.querySelector('button')?.focus({ preventScroll: true }),
    )
    return () => cancelAnimationFrame(soon)
  }, [shown])
  useEffect(() => () => clearTimeout(timer.current), [])
  const later = (ms: number, work: () => void) => {
    clearTimeout(timer.current)
    timer.current = setTimeout(work, ms)
  }
  const open = (which: Panel) => setPanel(panel === which ? null : which)
  const ended = ['stopped', 'failed', 'hibernated'].includes(session.state)

  return (
    <>
      <button
        type="button"
        className={classes(css.handle, shown && css.hidden)}
        aria-label={m.viewerShowBar}
        aria-expanded={shown}
        onClick={() => onShow(true)}
        onPointerEnter={(event) => event.pointerType === 'mouse' && later(COME_MS, () => onShow(true))}
        onPointerLeave={() => clearTimeout(timer.current)}
      >
        <ChevronDown aria-hidden />
      </button>
      <div
        ref={box}
        className={classes(css.bar, shown && css.shown)}
        role="toolbar"
        aria-label={m.viewerBar}
        inert={!shown}
        onPointerEnter={() => clearTimeout(timer.current)}
        onPointerLeave={(event) => event.pointerType === 'mouse' && !panel && later(GO_MS, onDone)}
        onKeyDown={(event) => event.key === 'Escape' && (panel ? setPanel(null) : onDone())}
      >
        <div className={css.tools}>
          <Tool label={m.home} icon={<House aria-hidden />} onPress={() => go('/')} />
          <strong className={css.name}>{session.name}</strong>
          <Tool
            label={m.keys}
            icon={<Keyboard aria-hidden />}
            expanded={panel === 'keys'}
            disabled={!live}
            onPress={() => open('keys')}
          />
          <Tool
            label={m.clipboard}
            icon={<ClipboardIcon aria-hidden />}
            expanded={panel === 'clipboard'}
            disabled={!live}
            onPress={() => open('clipboard')}
          />
          <Tool
            label={m.fit}
            icon={<Scaling aria-hidden />}
            expanded={panel === 'size'}
            onPress={() => open('size')}
          />
          <Tool
            label={m.figures}
            icon={<Activity aria-hidden />}
            pressed={props.figures}
            onPress={() => props.onFigures(!props.figures)}
          />
          <Tool
            label={full ? m.leaveFullScreen : m.fullScreen}
            icon={full ? <Minimize aria-hidden /> : <Maximize aria-hidden />}
            onPress={switchFull}
          />
          <Tool label={m.details} icon={<Info aria-hidden />} onPress={() => go(`/sessions/${session.id}`)} />
          {session.keepsHome && (
            <Tool
              label={m.putToSleep}
              icon={<Moon aria-hidden />}
              disabled={session.state !== 'running'}
              onPress={() => props.onEnding('sleep')}
            />
          )}
          <Tool
            label={m.restart}
            icon={<RotateCcw aria-hidden />}
            onPress={() => props.onEnding('restart')}
          />
          <Tool
            label={m.stop}
            icon={<Square aria-hidden />}
            disabled={ended}
            onPress={() => props.onEnding('stop')}
          />
          <Tool label={m.viewerHideBar} icon={<ChevronUp aria-hidden />} onPress={onDone} />
        </div>
        {panel === 'keys' && (
          <KeysPanel modifiers={modifiers} onControlAltDelete={props.onControlAltDelete} />
        )}
        {panel === 'clipboard' && <ClipboardPanel clipboard={clipboard} />}
        {panel === 'size' && (
          <SizePanel
            fit={props.fit}
            onFit={props.onFit}
            quality={props.quality}
            onQuality={props.onQuality}
          />
        )}
      </div>
    </>
  )
}
