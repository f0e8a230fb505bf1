%% One process spawns many that get one message each and stop, and waits for all.
%%
%% The idiom differs: processes have no parents, so the one that waits monitors
%% the others.
-module(fork_join_create).
-export([start/0]).

start() ->
    Actors = stage:start_clock(stage:scaled(1000000)),
    spawn_link(fun() -> breed(Actors, Actors) end).

breed(0, Alive) -> await(Alive);
breed(ToSpawn, Alive) ->
    Now = min(ToSpawn, stage:sends_per_turn()),
    spawn_some(Now),
    self() ! breed,
    breed_after(ToSpawn - Now, Alive).

%% Takes the ends that have come, until it is its turn again.
breed_after(ToSpawn, Alive) ->
    receive
        {'DOWN', _Monitor, process, _Mayfly, normal} -> breed_after(ToSpawn, Alive - 1);
        breed -> breed(ToSpawn, Alive)
    end.

spawn_some(0) -> ok;
spawn_some(Count) ->
    {Mayfly, _Monitor} = spawn_monitor(fun() -> receive live -> ok end end),
    Mayfly ! live,
    spawn_some(Count - 1).

await(0) -> stage:finish();
await(Alive) ->
    receive {'DOWN', _Monitor, process, _Mayfly, normal} -> await(Alive - 1) end.
