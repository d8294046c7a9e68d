/** Small widgets that know no data: card, empty, error, skeleton, log, progress, key. */
import { CircleAlert } from 'lucide-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { ApiProblem, isCancelled } from '../api.ts'
import * as m from '../messages/index.ts'
import { Button } from './button.tsx'
import { classes } from './classes.ts'
import css from './parts.module.css'

export function Card({ children, label }: { children: ReactNode; label?: string }) {
  const named = label ? { role: 'group', 'aria-label': label } : {}
  return (
    <div className={classes(css.card, css.padded)} {...named}>
      {children}
    </div>
  )
}

/** Nothing here yet: what it will be, and the one next step. */
interface EmptyProps {
  icon: ReactNode
  title: string
  text: string
  next?: ReactNode
  /** It is the whole page, so its title is the page's. */
  page?: boolean
}
export function Empty(props: EmptyProps) {
  const Title = props.page ? 'h1' : 'h2'
  return (
    <div className={classes(css.card, css.empty)}>
      <div className={css.picture}>{props.icon}</div>
      <Title>{props.title}</Title>
      <p>{props.text}</p>
      {props.next && <div className={css.next}>{props.next}</div>}
    </div>
  )
}

/** Puts text on the clipboard and says for a moment that it did. */
export function CopyButton({ text, label = m.copy }: { text: string; label?: string }) {
  const [done, setDone] = useState(false)
  useEffect(() => {
    if (!done) return
    const timer = setTimeout(() => setDone(false), 1_800)
    return () => clearTimeout(timer)
  }, [done])
  const copyText = () =>
    navigator.clipboard?.writeText(text).then(
      () => setDone(true),
      // Not permitted here (plain http on the network): the text stays selectable beside the button.
      () => setDone(false),
    )
  return (
    <Button look="plain" onPress={copyText}>
      {done ? m.copied : label}
    </Button>
  )
}

/** What happened, why, what to do; the code small beside it. */
export function ErrorBox({ problem, retry }: { problem: unknown; retry?: () => void }) {
  // Whoever declined to prove who it is knows what happened.
  if (isCancelled(problem)) return null
  const known = problem instanceof ApiProblem ? problem : null
  const details = known
    ? `${known.code}: ${known.message}\n${m.requestLabel}: ${known.requestId || '-'}`
    : String(problem)
  return (
    <div className={css.error} role="alert">
      <CircleAlert aria-hidden />
      <strong>{known?.message ?? m.problemPage}</strong>
      <p className={css.errorMore}>{known?.next ?? m.problemPageNext}</p>
      <div className={css.errorFoot}>
        <code>{known?.code ?? 'page'}</code>
        <CopyButton text={details} label={m.copyDetails} />
        {retry && <Button onPress={retry}>{m.tryAgain}</Button>}
      </div>
    </div>
  )
}

/** The shape of what comes. */
export function Skeleton({ width = '100%', height }: { width?: string; height: string }) {
  return <span className={css.skeleton} style={{ width, height }} aria-hidden />
}

/** A region that scrolls must be reachable by keyboard (axe: scrollable-region-focusable). */
const REACHABLE = { tabIndex: 0 }

/** What programs printed. Follows the end while one is looking at the end. */
export function LogView({ lines, label }: { lines: string[]; label: string }) {
  const box = useRef<HTMLPreElement>(null)
  const follow = useRef(true)
  useEffect(() => {
    if (box.current && follow.current && lines.length > 0) box.current.scrollTop = box.current.scrollHeight
  }, [lines])
  return (
    <pre
      ref={box}
      className={css.log}
      {...REACHABLE}
      role="log"
      aria-label={label}
      onScroll={({ currentTarget: it }) => {
        follow.current = it.scrollHeight - it.scrollTop - it.clientHeight < 24
      }}
    >
      {lines.length > 0 ? lines.join('\n') : m.logsEmpty}
    </pre>
  )
}

export const Key = ({ children }: { children: ReactNode }) => <kbd className={css.key}>{children}</kbd>
