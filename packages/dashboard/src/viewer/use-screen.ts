/** Holds a screen open for as long as the session runs and the page shows it. */
import { type RefObject, useEffect, useRef, useState } from 'react'
import { queryClient } from '../queries.ts'
import { createMeasure } from './figures.ts'
import { type FitMode, openScreen, type Quality, type Screen, type ScreenState } from './screen.ts'
import { tellViewing } from './viewing.ts'

interface UseScreen {
  sessionId: string
  /** Opens when true; a new generation opens a new one. */
  open: boolean
  generation: number
  fit: FitMode
  quality: Quality
  onClipboard: (text: string) => void
  target: RefObject<HTMLDivElement | null>
  last: RefObject<HTMLCanvasElement | null>
}

export function useScreen({
  sessionId,
  open,
  generation,
  fit,
  quality,
  onClipboard,
  target,
  last,
}: UseScreen) {
  const [state, setState] = useState<ScreenState>({ kind: 'connecting' })
  const [measure] = useState(createMeasure)
  const screen = useRef<Screen | null>(null)
  // What may change while a connection lives is read when it is needed, so that it does not end the connection.
  const now = useRef({ fit, quality, onClipboard })
  now.current = { fit, quality, onClipboard }

  useEffect(() => {
    if (!open || generation < 0 || !target.current || !last.current) return
    const life = new AbortController()
    tellViewing(sessionId, measure, life.signal)
    screen.current = openScreen({
      sessionId,
      target: target.current,
      last: last.current,
      measure,
      fit: now.current.fit,
      quality: now.current.quality,
      signal: life.signal,
      onState: (next) => life.signal.aborted || setState(next),
      onClipboard: (text) => now.current.onClipboard(text),
      onDoubt: () => void queryClient.invalidateQueries({ queryKey: ['session', sessionId] }),
    })
    return () => {
      life.abort()
      screen.current = null
      setState({ kind: 'connecting' })
    }
  }, [sessionId, open, generation, measure, target, last])
  useEffect(() => screen.current?.setFit(fit), [fit])
  useEffect(() => screen.current?.setQuality(quality), [quality])

  useEffect(() => {
    const place = target.current
    if (!place) return
    const sent = () => measure.input(performance.now())
    place.addEventListener('keydown', sent, { capture: true })
    place.addEventListener('mousedown', sent, { capture: true })
    return () => {
      place.removeEventListener('keydown', sent, { capture: true })
      place.removeEventListener('mousedown', sent, { capture: true })
    }
  }, [measure, target])
  return { state, measure, screen }
}
