/** The pictures that the words of the contract stand for. */
import type { ProviderIcon as Word } from '@kalnet/contracts/federation'
import { Building2, Globe, House, KeyRound, School, Shield, Users } from 'lucide-react'

const PICTURES = {
  key: KeyRound,
  building: Building2,
  home: House,
  school: School,
  globe: Globe,
  people: Users,
  shield: Shield,
}
export const ICONS = Object.keys(PICTURES) as Word[]

export function ProviderIcon({ icon }: { icon: Word }) {
  const Picture = PICTURES[icon]
  return <Picture aria-hidden />
}
