/** How long a throttled person still has to wait, in seconds, counted down on screen. */
import { useEffect, useState } from 'react'
import { ApiProblem } from '../api.ts'

const secondsOf = (problem: unknown): number | null => {
  if (!(problem instanceof ApiProblem)) return null
  const { seconds } = problem.details
  return problem.status === 429 && typeof seconds === 'number' ? seconds : null
}

/** Null: it is not about waiting. 0: the wait is over. */
export function useWait(problem: unknown): number | null {
  const seconds = secondsOf(problem)
  const [left, setLeft] = useState(seconds)
  useEffect(() => {
    setLeft(secondsOf(problem))
    const total = secondsOf(problem)
    if (total === null) return
    const until = Date.now() + total * 1000
    const timer = setInterval(() => {
      const rest = Math.max(0, Math.ceil((until - Date.now()) / 1000))
      setLeft(rest)
      if (rest === 0) clearInterval(timer)
    }, 1_000)
    return () => clearInterval(timer)
  }, [problem])
  return seconds === null ? null : left
}
