import {
  ClipboardCheck,
  FileDiff,
  Layers,
  type LucideIcon,
  Package,
  Rocket,
  Settings,
  Usb,
} from 'lucide-react';
import { type ComponentType, lazy, type LazyExoticComponent } from 'react';
import type { ViewName } from '../stores/studio.ts';

/** A view of the window: its name, its icon and key, and its code, loaded when it is first opened. */
export interface ViewEntry {
  readonly title: string;
  readonly about: string;
  readonly icon: LucideIcon;
  /** Key pressed together with Ctrl or Cmd. */
  readonly key: string;
  readonly View: LazyExoticComponent<ComponentType>;
}

/** Every view of the window in the order of the release line. */
export const views: Record<ViewName, ViewEntry> = {
  releases: {
    title: 'Releases',
    about: 'Every release and where it stands',
    icon: Layers,
    key: '1',
    View: lazy(async () => ({
      default: (await import('../views/releases/releases-view.tsx')).ReleasesView,
    })),
  },
  bundle: {
    title: 'Bundle',
    about: 'Check files and make version packages',
    icon: Package,
    key: '2',
    View: lazy(async () => ({
      default: (await import('../views/bundle/bundle-view.tsx')).BundleView,
    })),
  },
  delta: {
    title: 'Delta',
    about: 'Make proven patches from earlier versions',
    icon: FileDiff,
    key: '3',
    View: lazy(async () => ({
      default: (await import('../views/delta/delta-view.tsx')).DeltaView,
    })),
  },
  bench: {
    title: 'Bench',
    about: 'Flash boards and watch them boot',
    icon: Usb,
    key: '4',
    View: lazy(async () => ({
      default: (await import('../views/bench/bench-view.tsx')).BenchView,
    })),
  },
  rollout: {
    title: 'Rollout',
    about: 'Plan, publish and watch',
    icon: Rocket,
    key: '5',
    View: lazy(async () => ({
      default: (await import('../views/rollout/rollout-view.tsx')).RolloutView,
    })),
  },
  evidence: {
    title: 'Evidence',
    about: 'Export and verify the record of a release',
    icon: ClipboardCheck,
    key: '6',
    View: lazy(async () => ({
      default: (await import('../views/evidence/evidence-view.tsx')).EvidenceView,
    })),
  },
  settings: {
    title: 'Settings',
    about: 'Theme, file types, China Telecom SIMs, shortcuts',
    icon: Settings,
    key: ',',
    View: lazy(async () => ({
      default: (await import('../views/settings/settings-view.tsx')).SettingsView,
    })),
  },
};
