%% A tree of processes, ten below each, sums up the numbers of its leaves.
-module(skynet).
-export([start/0]).

-define(BRANCHES, 10).

start() ->
    {Leaves, Actors} = tree(1, 1, stage:scaled(1000000)),
    stage:start_clock(Actors),
    Judge = spawn_link(fun() -> judge(Leaves) end),
    spawn_link(fun() -> grow(Judge, 0, Leaves) end).

tree(Leaves, Actors, Wanted) when Leaves * ?BRANCHES =< Wanted ->
    tree(Leaves * ?BRANCHES, Actors + Leaves * ?BRANCHES, Wanted);
tree(Leaves, Actors, _Wanted) -> {Leaves, Actors}.

%% The root of a tree over the leaves First, First + 1, ...
grow(Parent, First, 1) -> Parent ! {sum, First};
grow(Parent, First, Leaves) ->
    Below = Leaves div ?BRANCHES,
    Self = self(),
    [spawn_link(fun() -> grow(Self, First + I * Below, Below) end)
     || I <- lists:seq(0, ?BRANCHES - 1)],
    Parent ! {sum, add_up(?BRANCHES, 0)}.

add_up(0, Sum) -> Sum;
add_up(Left, Sum) ->
    receive {sum, Value} -> add_up(Left - 1, Sum + Value) end.

judge(Leaves) ->
    receive {sum, Sum} -> Sum = Leaves * (Leaves - 1) div 2 end,
    stage:finish().
