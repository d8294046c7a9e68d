/** The one place where people prove once more who they are, for every call of the dashboard that asks for it. */
import { useEffect, useState } from 'react'
import { onProofWanted } from '../api.ts'
import { later } from '../ui/later.tsx'

const StepUp = later(() => import('../identity/step-up.tsx'))
type End = (proved: boolean) => void

export function StepUpPlace() {
  const [end, setEnd] = useState<End | null>(null)
  useEffect(() => {
    let asked: Promise<boolean> | null = null
    // Several calls at once ask once.
    onProofWanted(() => {
      asked ??= new Promise<boolean>((resolve) => {
        setEnd(() => (proved: boolean) => {
          asked = null
          setEnd(null)
          resolve(proved)
        })
      })
      return asked
    })
    return () => onProofWanted(null)
  }, [])
  return end && <StepUp onEnd={end} />
}
