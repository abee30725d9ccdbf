import torch


def test_lsgan_pulls_scores_to_its_targets(tiny):
    recipe, _, _ = tiny("lsgan")
    scores = torch.tensor([0.0, 1.0, 3.0])
    terms = recipe.critic_loss(scores, scores)
    assert terms["real"].item() == torch.tensor([0.5, 0.0, 2.0]).mean().item()
    assert terms["fake"].item() == torch.tensor([0.0, 0.5, 4.5]).mean().item()
    assert recipe.generator_loss(scores) == terms["real"]


def test_lsgan_has_a_gradient_where_the_critic_is_sure(tiny):
    score = torch.tensor([30.0], requires_grad=True)
    tiny("lsgan")[0].generator_loss(score).backward()
    assert score.grad.item() == 29.0


def test_lsgan_verdict_is_the_score_cut_to_a_probability(tiny):
    assert tiny("lsgan")[0].probability(torch.tensor([-1.0, 0.3, 2.0])).tolist() == [0.0, torch.tensor(0.3).item(), 1.0]
